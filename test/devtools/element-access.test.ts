import { describe, expect, it } from 'vitest'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open, server } = siteSuite()

  it('has no accessibility violations in light and dark themes, on desktop and phone', async () => {
    for (const width of [1280, 390]) {
      const page = await open('/', { viewport: { width, height: 844 } })
      await page.evaluate(() => place.show())
      await panelOf(page).part('.launcher').waitFor()
      // A page in another language is read out with the voice of that language.
      expect(await panelOf(page).part('.root').getAttribute('lang')).toBe('en')
      await expectNoBarriers(page)
      await page.evaluate(async () => {
        place.element().open = true
        await place.signIn()
      })
      server().expireAccessTokens()
      expect(await page.evaluate(() => place.ask(3))).toEqual(['200', '200', '200'])
      const panel = panelOf(page)
      await panel.part('[data-counter=done]').filter({ hasText: '3' }).waitFor()
      await panel.part('[data-event=signedIn]').click()
      await panel.chosen.waitFor()
      await expectNoBarriers(page)
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      })
      expect(overflow).toBe(0)
      await page.context().close()
    }
  })
})
