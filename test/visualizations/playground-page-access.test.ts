import type { BrowserContextOptions, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { playgroundSuite, TEST_TIME } from './playground-page.ts'

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

/** What is pressed in a visit that presses everything, in an order in which it has an effect, and what is told of it. */
const EVERYTHING: readonly (readonly [action: string, words: RegExp])[] = [
  ['request', /^GET \/api\/books: 0 of 1 answered\. 1 failed: status 401\.$/],
  ['sign-in', /^Signed in as ada\.$/],
  ['request', /^GET \/api\/authors: 1 of 1 answered\.$/],
  ['expire-access-token', /^The server takes no access token/],
  ['burst', /^100 of 100 answered\.$/],
  ['fail-refreshes', /^The next three refreshes get a 500\.$/],
  ['refresh', /^Token \d+ is here\.$/],
  ['lose-answer', /will be lost\.$/],
  ['refresh', /^Token \d+ is here\.$/],
  ['offline', /^This tab is offline\.$/],
  ['offline', /^This tab is back online\.$/],
  ['skew-clock', /^The clock is an hour ahead\.$/],
  ['skew-clock', /^The clock is right again\.$/],
  ['sleep', /^Awake again\. A minute has passed\.$/],
  ['sign-in-other', /^Signed in as grace\.$/],
  ['kill-refresh-token', /invalid_grant\.$/],
  ['sign-out', /^Signed out\.$/],
  // The last: the tab that is left draws a frame a second.
  ['second-tab', /^The other tab has the same session\.$/],
]

/** How much wider than its window the page is, in pixels. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** What has the focus, in the panel too. */
const focused = (page: Page) =>
  page.evaluate(() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    const { action, transition } = (element as HTMLElement | null)?.dataset ?? {}
    return action ?? transition ?? element?.getAttribute('aria-label') ?? element?.textContent ?? ''
  })

/** Goes on by the Tab key until that has the focus. */
async function tabTo(page: Page, name: string) {
  const passed: string[] = []
  do {
    await page.keyboard.press('Tab')
    passed.push(await focused(page))
  } while (passed.at(-1) !== name && passed.length < 60)
  expect(passed.at(-1), passed.join(', ')).toBe(name)
}

describe.skipIf(!hasChromium)('the playground for everybody', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('fits a phone, where everything can be tapped, and tells what came of it', async () => {
    await using tab = await open(PHONE)
    const { page, panel, server } = tab
    const actions = await page
      .locator('#controls [data-action]')
      .evaluateAll((buttons) => buttons.map((button) => (button as HTMLElement).dataset.action))
    expect(new Set(EVERYTHING.map(([action]) => action))).toEqual(new Set(actions))
    for (const [action, words] of EVERYTHING) {
      await tab.button(action).tap()
      await tab.told(words)
      expect(await overflow(page), action).toBe(0)
    }
    expect(server.reuseDetections).toBe(0)
    await page.bringToFront()
    for (const name of ['One moment back', 'One moment ahead', 'Live', 'Inner states', 'Clear']) {
      await panel.button(name).tap()
      expect(await overflow(page), name).toBe(0)
    }
    await page.setViewportSize({ width: 320, height: 640 })
    expect(await overflow(page)).toBe(0)
  })

  it('is used by keys alone', async () => {
    await using tab = await open()
    const { page, panel } = tab
    await tabTo(page, 'Skip to the session')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('watch')
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())

    await page.reload()
    await tabTo(page, 'sign-in')
    await page.keyboard.press('Enter')
    await tab.told('Signed in as ada.')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    // Now at the group of radio buttons, which is one stop.
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => playground.requests.transport)).toBe('ofetch')
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => playground.requests.transport)).toBe('axios')
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => playground.requests.transport)).toBe('fetch')
    await page.keyboard.press('ArrowLeft')
    expect(await page.evaluate(() => playground.requests.transport)).toBe('axios')
    await tabTo(page, 'request')
    await page.keyboard.press('Enter')
    await tab.told('GET /api/books: 1 of 1 answered.')
    await tabTo(page, 'offline')
    await page.keyboard.press('Space')
    await tab.told('This tab is offline.')
    await page.keyboard.press('Space')
    await tab.told('This tab is back online.')

    await tabTo(page, 'Moment')
    const end = Number(await panel.slider.getAttribute('max'))
    await page.keyboard.press('ArrowLeft')
    expect(await panel.isLive()).toBe(false)
    expect(await panel.slider.inputValue()).toBe(String(end - 1))
    await page.keyboard.press('ArrowLeft')
    expect(await panel.slider.inputValue()).toBe(String(end - 2))
    await page.keyboard.press('ArrowRight')
    expect(await panel.slider.inputValue()).toBe(String(end - 1))
    await page.keyboard.press('Home')
    await panel.lit('restoring').or(panel.lit('anonymous')).first().waitFor()
    await page.keyboard.press('Escape')
    expect(await panel.isLive()).toBe(true)
    await panel.lit('authenticated').waitFor()
  })

  it.each([
    ['on a desk', {}],
    ['on a phone', PHONE],
  ])('is free of barriers %s, in the light and in the dark', async (_, screen) => {
    // Colours that are on their way say nothing of where they get to.
    await using tab = await open({ ...screen, reducedMotion: 'reduce' })
    const { page, panel } = tab
    await tab.signIn()
    await tab.expire()
    const renewal = await tab.holdBurst()
    await tab.pressAndHear('skew-clock', 'The clock is an hour ahead.')
    await expectNoBarriers(page)
    renewal.answer()
    await tab.counted('done', 100)

    await panel.load('nothing.json', 'nothing')
    await panel.banner.waitFor()
    await tab.pressAndHear('sign-out', 'Signed out.')
    await panel.lit('loggedOut').waitFor()
    await tab.event('requestHeld').click()
    await panel.chosen.waitFor()
    await expectNoBarriers(page)
  })

  it.each([
    ['sends a spark along a transition', 'no-preference'],
    ['moves nothing for those who want less motion, and lights up all the same', 'reduce'],
  ] as const)('%s', async (_, reducedMotion) => {
    await using tab = await open({ reducedMotion })
    const { page, panel } = tab
    const sparks = await page.evaluateHandle(() => {
      const found: Element[] = []
      const root = document.querySelector('authchart-devtools')?.shadowRoot
      if (!root) throw new Error('There is no panel.')
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
          for (const node of addedNodes)
            if (node instanceof Element && node.matches('.spark')) found.push(node)
      }).observe(root, { subtree: true, childList: true })
      return found
    })
    const lights = await tab.lights()
    await tab.signIn()
    await tab.pressAndHear('refresh', 'Token 2 is here.')
    await tab.fact('Generation', '2')
    expect(await lights()).toContain('* -> authenticating')
    const count = await sparks.evaluate((found) => found.length)
    if (reducedMotion === 'reduce') expect(count).toBe(0)
    else expect(count).toBeGreaterThan(0)
    await expect.poll(() => panel.part('.spark, .edge[data-active]').count()).toBe(0)
    const durations = await page.evaluate(() =>
      [...document.querySelectorAll('button')].map((button) => getComputedStyle(button).transitionDuration),
    )
    expect(durations.some((duration) => /[1-9]/.test(duration))).toBe(reducedMotion !== 'reduce')
  })
})
