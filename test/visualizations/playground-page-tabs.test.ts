import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import {
  answersOf,
  playgroundSuite,
  refreshing,
  refreshRequestsOf,
  storedIn,
  TEST_TIME,
  tabOf,
} from './playground-page.ts'

describe.skipIf(!hasChromium)('two tabs of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  type Opened = Awaited<ReturnType<typeof open>>

  /** Opens a second tab with the button. */
  async function secondTab(tab: Opened) {
    const opening = tab.context.waitForEvent('page')
    await tab.press('second-tab')
    const other = tabOf(await opening)
    await other.panel.lit('authenticated.refreshable').waitFor()
    return other
  }

  it('share the session, and one refresh serves the requests of both', async () => {
    await using tab = await open()
    const { server } = tab
    await tab.signIn()
    const other = await secondTab(tab)
    expect(await other.subject()).toBe('ada')
    await other.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(answersOf(server)).toEqual(['200 1 ada'])
    expect(server.tokenRequests).toBe(0)

    await tab.expire()
    const refresh = server.holdNext()
    for (const { page, press, counted, panel } of [tab, other]) {
      // A tab in the background draws one frame per second.
      await page.bringToFront()
      await press('burst')
      await refresh.arrived
      await counted('held', 100)
      expect(await panel.litStates()).toEqual(refreshing('requesting', 'closed'))
    }
    refresh.answer()
    for (const { page, statusIs, fact, panel } of [other, tab]) {
      await page.bringToFront()
      await statusIs('100 of 100 answered.')
      await fact('Generation', '2')
      expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    }
    await tab.counted('done', 100)
    expect([refreshRequestsOf(server), server.refreshes, server.reuseDetections]).toEqual([1, 1, 0])
    expect(answersOf(server).filter((answer) => answer === '200 2 ada')).toHaveLength(200)
  })

  it('share a sign-out and a later sign-in', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const other = await secondTab(tab)
    await other.pressAndWait('sign-out', 'Signed out.')
    await other.panel.lit('loggedOut').waitFor()
    await tab.page.bringToFront()
    await panel.lit('loggedOut').waitFor()
    expect(await panel.litStates()).toEqual(['loggedOut'])
    await tab.event('signedOut').waitFor()
    await tab.fact('Reason', 'signed_out_elsewhere')
    expect(await tab.subject()).toBe('')
    expect(await panel.part('.countdown').textContent()).toBe('')
    expect(server.revocations).toBe(1)
    expect(await storedIn(tab.page)).toBe(null)

    await tab.press('sign-in-other')
    await tab.statusIs('Signed in as grace.')
    await other.page.bringToFront()
    await other.panel.lit('authenticated.refreshable').waitFor()
    expect(await other.subject()).toBe('grace')
    await other.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(answersOf(server)).toEqual(['200 1 grace'])
  })

  it('expire together, for the same reason, when the refresh token is killed', async () => {
    await using tab = await open()
    await tab.signIn()
    const other = await secondTab(tab)
    await other.press('kill-refresh-token')
    await tab.expire()
    await other.press('request')
    await other.panel.lit('expired').waitFor()
    await tab.page.bringToFront()
    await tab.panel.lit('expired').waitFor()
    for (const each of [tab, other]) {
      expect(await each.panel.litStates()).toEqual(['expired'])
      await each.fact('Reason', 'invalid_grant')
    }
  })

  it('share the clock and sleep together, but have separate networks', async () => {
    await using tab = await open()
    const { server } = tab
    await tab.signIn()
    const other = await secondTab(tab)
    const refresh = server.holdNext()
    await other.pressAndWait('sleep', 'Awake again. A minute has passed.')
    await refresh.arrived
    await other.panel.lit('refreshing.gate.closed').waitFor()
    await tab.page.bringToFront()
    await tab.panel.lit('refreshing.gate.closed').waitFor()
    refresh.answer()
    for (const { page, panel } of [other, tab]) {
      await page.bringToFront()
      await panel.lit('authenticated.refreshable').waitFor()
    }
    expect([refreshRequestsOf(server), server.refreshes, server.reuseDetections]).toEqual([1, 1, 0])

    await tab.pressAndWait('offline', 'This tab is offline.')
    await tab.pressAndWait('skew-clock', 'The clock is an hour ahead.')
    await other.page.bringToFront()
    await other.page.locator('[data-action=skew-clock][aria-pressed=true]').waitFor()
    expect(await other.button('offline').getAttribute('aria-pressed')).toBe('false')
    await other.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    await other.pressAndWait('skew-clock', 'The clock is right again.')
    await tab.page.bringToFront()
    await tab.page.locator('[data-action=skew-clock][aria-pressed=false]').waitFor()
    await tab.pressAndWait('offline', 'This tab is back online.')
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
  })
})
