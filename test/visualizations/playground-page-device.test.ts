import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import {
  answersOf,
  exchangesOf,
  playgroundSuite,
  refreshing,
  type Tab,
  TEST_TIME,
  TRANSPORTS,
} from './playground-page.ts'

const isPressed = (tab: Tab, action: string) => tab.button(action).getAttribute('aria-pressed')

describe.skipIf(!hasChromium)('breaking the device of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it.each(TRANSPORTS)(
    'by %s: what is sent offline fails, what waits for a token waits for the network',
    async (transport) => {
      await using tab = await open()
      const { panel, server } = tab
      await tab.signIn()
      await tab.choose(transport)
      await tab.pressAndHear('offline', 'This tab is offline.')
      expect(await isPressed(tab, 'offline')).toBe('true')
      await tab.pressAndHear('request', 'GET /api/books: 0 of 1 answered. 1 failed: no network.')
      await tab.counted('rejected', 1)
      expect(await panel.lanes()).toEqual(['rejected: sent'])
      expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.renewable'])
      await tab.pressAndHear('offline', 'This tab is back online.')
      expect(await isPressed(tab, 'offline')).toBe('false')
      expect(answersOf(server)).toEqual([])

      await tab.expire()
      const lights = await tab.lights()
      const renewal = server.holdNext()
      await tab.press('request')
      await renewal.arrived
      await panel.lit('refreshing.gate.closed').waitFor()
      await tab.pressAndHear('offline', 'This tab is offline.')
      renewal.drop()
      await panel.lit('refreshing.exchange.offline').waitFor()
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
      expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.renewable'])
      expect(await lights()).toEqual(
        expect.arrayContaining([
          'refreshing.exchange.requesting -> refreshing.exchange.offline',
          'refreshing.exchange.offline -> refreshing.exchange.requesting',
        ]),
      )
      await tab.fact('Generation', '2')
      expect(await tab.subject()).toBe('ada')
      expect(answersOf(server).slice(1)).toEqual(Array(101).fill('200 2 ada'))
      expect([server.refreshes, server.reuseDetections]).toEqual([1, 0])
    },
  )

  it('sleeps for a minute: the token is dead when it wakes, requests wait, and it is renewed', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const lights = await tab.lights()
    const renewal = server.holdNext()
    await tab.pressAndHear('sleep', 'Awake again. A minute has passed.')
    await renewal.arrived
    await panel.lit('refreshing.gate.closed').waitFor()
    await panel.part('.countdown').filter({ hasText: 'expired' }).waitFor()
    await tab.press('request')
    await tab.counted('held', 1)
    expect(answersOf(server)).toEqual([])

    renewal.answer()
    await tab.told('GET /api/books: 1 of 1 answered.')
    await tab.counted('done', 1)
    expect(await panel.lanes()).toEqual(['done: held sent'])
    expect(answersOf(server)).toEqual(['200 2 ada'])
    await panel.lit('authenticated.renewable').waitFor()
    expect(await lights()).toContain('authenticated.renewable -> refreshing.gate.closed')
    await tab.fact('Generation', '2')
    await panel
      .part('.countdown')
      .filter({ hasText: /^[34]\d\.\d s$|^50\.0 s$/ })
      .waitFor()
    expect([exchangesOf(server), server.expiredTokenUses, server.reuseDetections]).toEqual([1, 0, 0])
  })

  it('sets the clock an hour ahead and right again: nobody is signed out, and requests go on', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.pressAndHear('skew-clock', 'The clock is an hour ahead.')
    expect(await isPressed(tab, 'skew-clock')).toBe('true')
    await tab.pressAndHear('request', 'GET /api/books: 1 of 1 answered.')
    await tab.fact('Generation', '2')
    await tab.pressAndHear('burst', '100 of 100 answered.')
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d+\.\d s$/ })
      .waitFor()

    await tab.pressAndHear('skew-clock', 'The clock is right again.')
    expect(await isPressed(tab, 'skew-clock')).toBe('false')
    await tab.pressAndHear('request', 'GET /api/authors: 1 of 1 answered.')
    await tab.expire()
    await tab.pressAndHear('burst', '100 of 100 answered.')
    await tab.counted('done', 202)
    expect(await panel.counters()).toMatchObject({ requests: 202, done: 202, rejected: 0 })
    await panel.lit('authenticated.renewable').waitFor()
    await tab.fact('Generation', '3')
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d+\.\d s$/ })
      .waitFor()
    expect(await tab.subject()).toBe('ada')
    const events = await panel.events()
    for (const end of ['expired', 'signedOut', 'requestRejected']) expect(events).not.toContain(end)
    expect([exchangesOf(server), server.refreshes, server.reuseDetections]).toEqual([2, 2, 0])
  })
})
