import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { bundleScript } from './bundles.ts'
import { exported, panelOf } from './panel.ts'
import { pageWith } from './site.ts'
import { siteSuite } from './site-suite.ts'

declare global {
  /** The violations of the content security policy. */
  var violations: string[]
}

/** Allows scripts of this origin only. Forbids all styles, and turning text into markup or script. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** Runs in the page before any other script. */
function watchViolations() {
  globalThis.violations = []
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
    globalThis.violations.push(`${violatedDirective}: ${blockedURI} ${sample}`)
  })
}

describe.skipIf(!hasChromium)('the panel under a strict content security policy', () => {
  const { open, server, takeProblems } = siteSuite(async () => ({
    files: {
      '/': { body: pageWith('/page.js'), headers: { 'content-security-policy': POLICY } },
      '/page.js': await bundleScript('page.ts'),
    },
  }))
  const openStrict = () => open('/', { prepare: watchViolations })
  const violations = (page: Awaited<ReturnType<typeof open>>) => page.evaluate(() => globalThis.violations)

  it('looks and works as usual, without violations', async () => {
    const page = await openStrict()
    await page.evaluate(() => place.show())
    const panel = panelOf(page)
    await panel.part('.launcher').click()
    await page.evaluate(() => place.signIn())
    await panel.lit('authenticated').waitFor()
    server().expireAccessTokens()
    expect(await page.evaluate(() => place.ask(3))).toEqual(['200', '200', '200'])
    await panel.part('[data-counter=done]').filter({ hasText: '3' }).waitFor()
    expect(await panel.lanes()).toEqual(Array(3).fill('done: sent held replayed'))

    // Styles from the style sheet, and styles set by script.
    const looks = await panel.part('.dock').evaluate((dock) => {
      const bar = dock.querySelector<HTMLElement>('.bar')
      const level = dock.querySelector<HTMLElement>('.level')
      const row = dock.querySelector<HTMLElement>('.row')
      const state = dock.querySelector('.state[data-state=authenticated][data-active] > rect')
      return {
        position: getComputedStyle(dock).position,
        bar: bar?.getBoundingClientRect().width,
        level: level?.getBoundingClientRect().width,
        row: row && getComputedStyle(row).transform,
        state: state && getComputedStyle(state).stroke,
      }
    })
    expect(looks).toEqual({
      position: 'fixed',
      bar: expect.any(Number),
      level: expect.any(Number),
      row: expect.stringMatching(/^matrix/),
      state: expect.stringMatching(/^rgb/),
    })
    expect(looks.level).toBeGreaterThan(10)

    await page.evaluate(() => place.element().setAttribute('theme', 'dark'))
    await panel.part('svg.authchart.dark').waitFor()
    await panel.button('Inner states').click()
    await panel.filter('chart').click()
    await panel.search.fill('sign')
    await panel.part('[data-event=signedIn]').click()
    await panel.lit('authenticating').waitFor()
    await panel.moveTo(0)
    await panel.live.click()
    const { text } = await exported(page)
    await panel.button('Clear').click()
    await panel.load('recording.json', text)
    await panel.banner.filter({ hasText: 'Showing recording.json.' }).waitFor()
    await panel.load('nothing.json', '{}')
    await panel.banner.filter({ hasText: 'is not a recording' }).waitFor()
    await page.keyboard.press('Escape')
    await page.evaluate(() => place.hide())
    expect(await violations(page)).toEqual([])
  })

  it('is tested with an effective policy, and violations are detected', async () => {
    const page = await openStrict()
    const broken = await page.evaluate(async () => {
      const style = document.createElement('style')
      style.textContent = 'main { color: red }'
      document.head.append(style)
      document.querySelector('main')?.setAttribute('style', 'color: red')
      let refused = ''
      try {
        document.body.innerHTML = '<b>markup</b>'
      } catch (error) {
        refused = String(error)
      }
      while (globalThis.violations.length < 3) await new Promise((resolve) => setTimeout(resolve))
      return [refused, ...globalThis.violations].join('\n')
    })
    expect(broken).toContain('TrustedHTML')
    expect(broken).toContain('style-src-elem')
    expect(broken).toContain('style-src-attr')
    expect(takeProblems()).toHaveLength(3)
  })
})
