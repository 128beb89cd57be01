import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import {
  answersOf,
  playgroundSuite,
  refreshing,
  refreshRequestsOf,
  type Tab,
  TEST_TIME,
  TRANSPORTS,
} from './playground-page.ts'

const isPressed = (tab: Tab, action: string) => tab.button(action).getAttribute('aria-pressed')

describe.skipIf(!hasChromium)('the device controls of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it.each(TRANSPORTS)(
    'fail requests by %s that are sent offline, and hold those that need a token',
    async (transport) => {
      await using tab = await open()
      const { panel, server } = tab
      await tab.signIn()
      await tab.choose(transport)
      await tab.pressAndWait('offline', 'This tab is offline.')
      expect(await isPressed(tab, 'offline')).toBe('true')
      await tab.pressAndWait('request', 'GET /api/books: 0 of 1 answered. 1 failed: no network.')
      await tab.counted('rejected', 1)
      expect(await panel.lanes()).toEqual(['rejected: sent'])
      expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
      await tab.pressAndWait('offline', 'This tab is back online.')
      expect(await isPressed(tab, 'offline')).toBe('false')
      expect(answersOf(server)).toEqual([])

      await tab.expire()
      const lights = await tab.lights()
      const refresh = server.holdNext()
      await tab.press('request')
      await refresh.arrived
      await panel.lit('refreshing.gate.closed').waitFor()
      await tab.pressAndWait('offline', 'This tab is offline.')
      refresh.drop()
      await panel.lit('refreshing.attempt.offline').waitFor()
      expect(await panel.litStates()).toEqual(refreshing('offline', 'closed'))
      await tab.press('burst')
      await tab.counted('held', 101)
      expect(await panel.counters()).toEqual({
        ...{ requests: 102, inFlight: 0, held: 101 },
        ...{ replayed: 0, done: 0, rejected: 1 },
      })
      expect(answersOf(server)).toEqual(['401 1 ada'])

      await tab.press('offline')
      await tab.counted('done', 101)
      expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
      expect(await lights()).toEqual(
        expect.arrayContaining([
          'refreshing.attempt.requesting -> refreshing.attempt.offline',
          'refreshing.attempt.offline -> refreshing.attempt.backingOff',
          'refreshing.attempt.backingOff -> refreshing.attempt.requesting',
        ]),
      )
      await tab.fact('Generation', '2')
      expect(await tab.subject()).toBe('ada')
      expect(answersOf(server).slice(1)).toEqual(Array(101).fill('200 2 ada'))
      expect([server.refreshes, server.reuseDetections]).toEqual([1, 0])
    },
  )

  it('let the device sleep until the token has expired, then hold requests and refresh', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const lights = await tab.lights()
    const refresh = server.holdNext()
    await tab.pressAndWait('sleep', 'Awake again. A minute has passed.')
    await refresh.arrived
    await panel.lit('refreshing.gate.closed').waitFor()
    await panel.part('.countdown').filter({ hasText: 'expired' }).waitFor()
    await tab.press('request')
    await tab.counted('held', 1)
    expect(answersOf(server)).toEqual([])

    refresh.answer()
    await tab.statusIs('GET /api/books: 1 of 1 answered.')
    await tab.counted('done', 1)
    expect(await panel.lanes()).toEqual(['done: held sent'])
    expect(answersOf(server)).toEqual(['200 2 ada'])
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await lights()).toContain('authenticated.refreshable -> refreshing.gate.closed')
    await tab.fact('Generation', '2')
    await panel
      .part('.countdown')
      .filter({ hasText: /^[34]\d\.\d s$|^50\.0 s$/ })
      .waitFor()
    expect([refreshRequestsOf(server), server.expiredTokenUses, server.reuseDetections]).toEqual([1, 0, 0])
  })

  it('set the clock an hour ahead and back without a sign-out or a failed request', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.pressAndWait('skew-clock', 'The clock is an hour ahead.')
    expect(await isPressed(tab, 'skew-clock')).toBe('true')
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    await tab.fact('Generation', '2')
    await tab.pressAndWait('burst', '100 of 100 answered.')
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d+\.\d s$/ })
      .waitFor()

    await tab.pressAndWait('skew-clock', 'The clock is right again.')
    expect(await isPressed(tab, 'skew-clock')).toBe('false')
    await tab.pressAndWait('request', 'GET /api/authors: 1 of 1 answered.')
    await tab.expire()
    await tab.pressAndWait('burst', '100 of 100 answered.')
    await tab.counted('done', 202)
    expect(await panel.counters()).toMatchObject({ requests: 202, done: 202, rejected: 0 })
    await panel.lit('authenticated.refreshable').waitFor()
    await tab.fact('Generation', '3')
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d+\.\d s$/ })
      .waitFor()
    expect(await tab.subject()).toBe('ada')
    const events = await panel.events()
    for (const end of ['expired', 'signedOut', 'requestRejected']) expect(events).not.toContain(end)
    expect([refreshRequestsOf(server), server.refreshes, server.reuseDetections]).toEqual([2, 2, 0])
  })
})
