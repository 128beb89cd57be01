import axe, { type RunOnly } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const RULES: Readonly<Record<'light' | 'dark', RunOnly>> = {
  light: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'] },
  // Only colors differ.
  dark: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
}

/** Checks a page with axe, in light and in dark mode. */
export async function expectNoBarriers(page: Page): Promise<void> {
  await page.evaluate(axe.source)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await page.evaluate(
      (runOnly) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { runOnly }),
      RULES[colorScheme],
    )
    const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html}`)
    expect(found, colorScheme).toEqual([])
  }
}
