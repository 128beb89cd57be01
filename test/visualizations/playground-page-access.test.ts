import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { overflow, PHONE } from '../support/phone.ts'
import { playgroundSuite, TEST_TIME } from './playground-page.ts'

/** All actions, in an order in which each has an effect, and the texts of the status line after each. */
const EVERYTHING: readonly (readonly [action: string, words: RegExp])[] = [
  ['request', /^GET \/api\/books: 0 of 1 answered\. 1 failed: status 401\.$/],
  ['sign-in', /^Signed in as ada\.$/],
  ['request', /^GET \/api\/authors: 1 of 1 answered\.$/],
  ['expire-access-token', /^The server rejects all access tokens/],
  ['burst', /^100 of 100 answered\.$/],
  ['fail-refreshes', /^The next three refreshes will get a 500\.$/],
  ['refresh', /^Token \d+ received\.$/],
  ['lose-answer', /will be lost\.$/],
  ['refresh', /^Token \d+ received\.$/],
  ['offline', /^This tab is offline\.$/],
  ['offline', /^This tab is back online\.$/],
  ['skew-clock', /^The clock is an hour ahead\.$/],
  ['skew-clock', /^The clock is right again\.$/],
  ['sleep', /^Awake again\. A minute has passed\.$/],
  ['sign-in-other', /^Signed in as grace\.$/],
  ['kill-refresh-token', /invalid_grant\.$/],
  ['sign-out', /^Signed out\.$/],
  // The last one, because a tab in the background draws one frame per second.
  ['second-tab', /^The other tab has the same session\.$/],
]

/** Names the focused element, also inside the panel. */
const focused = (page: Page) =>
  page.evaluate(() => {
    let element = document.activeElement
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
    const { action, transition } = (element as HTMLElement | null)?.dataset ?? {}
    return action ?? transition ?? element?.getAttribute('aria-label') ?? element?.textContent ?? ''
  })

/** Presses the Tab key until the named element has the focus. */
async function tabTo(page: Page, name: string) {
  const passed: string[] = []
  do {
    await page.keyboard.press('Tab')
    passed.push(await focused(page))
  } while (passed.at(-1) !== name && passed.length < 60)
  expect(passed.at(-1), passed.join(', ')).toBe(name)
}

describe.skipIf(!hasChromium)('the page of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('fits a phone: every button can be tapped and shows its outcome', async () => {
    await using tab = await open(PHONE)
    const { page, panel, server } = tab
    const actions = await page
      .locator('#controls [data-action]')
      .evaluateAll((buttons) => buttons.map((button) => (button as HTMLElement).dataset.action))
    expect(new Set(EVERYTHING.map(([action]) => action))).toEqual(new Set(actions))
    for (const [action, words] of EVERYTHING) {
      await tab.button(action).tap()
      await tab.statusIs(words)
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

  it('can be used with the keyboard only', async () => {
    await using tab = await open()
    const { page, panel } = tab
    await tabTo(page, 'Skip to the session')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('watch')
    await page.evaluate(() => (document.activeElement as HTMLElement).blur())

    await page.reload()
    await tabTo(page, 'sign-in')
    await page.keyboard.press('Enter')
    await tab.statusIs('Signed in as ada.')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    // The focus is on the group of radio buttons, which is a single tab stop.
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
    await tab.statusIs('GET /api/books: 1 of 1 answered.')
    await tabTo(page, 'offline')
    await page.keyboard.press('Space')
    await tab.statusIs('This tab is offline.')
    await page.keyboard.press('Space')
    await tab.statusIs('This tab is back online.')

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
    ['desktop', {}],
    ['phone', PHONE],
  ])('has no accessibility violations on a %s, in light and dark themes', async (_, screen) => {
    // Colours in transition have no final contrast.
    await using tab = await open({ ...screen, reducedMotion: 'reduce' })
    const { page, panel } = tab
    await tab.signIn()
    await tab.expire()
    const refresh = await tab.holdBurst()
    await tab.pressAndWait('skew-clock', 'The clock is an hour ahead.')
    await expectNoBarriers(page)
    refresh.answer()
    await tab.counted('done', 100)

    await panel.load('nothing.json', 'nothing')
    await panel.banner.waitFor()
    await tab.pressAndWait('sign-out', 'Signed out.')
    await panel.lit('loggedOut').waitFor()
    await tab.event('requestHeld').click()
    await panel.chosen.waitFor()
    await expectNoBarriers(page)
  })

  it.each([
    ['animates a spark along a transition', 'no-preference'],
    ['animates nothing if the user prefers reduced motion, but lights up transitions', 'reduce'],
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
    await tab.pressAndWait('refresh', 'Token 2 received.')
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
