import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { answersOf, exchangesOf, playgroundSuite, refreshing, TEST_TIME } from './playground-page.ts'

describe.skipIf(!hasChromium)('breaking the server of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('kills the refresh token: the last access token is used until it dies, and then the session is over', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const lights = await tab.lights()
    await tab.pressAndHear('kill-refresh-token', 'The next refresh is refused for good: invalid_grant.')
    await tab.pressAndHear('refresh', 'No new token (invalid_grant). The one at hand is the last.')
    await panel.lit('authenticated.terminal').waitFor()
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.terminal'])
    await tab.event('refreshFailed').filter({ hasText: 'reason invalid_grant' }).waitFor()
    await tab.pressAndHear('request', 'GET /api/books: 1 of 1 answered.')
    expect(answersOf(server)).toEqual(['200 1 ada'])

    await tab.expire()
    await tab.pressAndHear('request', 'GET /api/authors: 0 of 1 answered. 1 failed: session expired.')
    await panel.lit('expired').waitFor()
    expect(await panel.litStates()).toEqual(['expired'])
    await tab.counted('rejected', 1)
    await tab.fact('Reason', 'invalid_grant')
    expect(await tab.subject()).toBe('')
    await tab.event('expired').waitFor()
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.exchange.requesting -> authenticated.terminal',
        'authenticated.terminal -> expired',
      ]),
    )
    const asked = server.log.length
    await tab.pressAndHear('burst', '0 of 100 answered. 100 failed: session expired.')
    await tab.counted('rejected', 101)
    expect(server.log).toHaveLength(asked)
    expect([exchangesOf(server), server.reuseDetections]).toEqual([1, 0])

    await tab.signIn()
    await tab.pressAndHear('request', 'GET /api/shelves/7: 1 of 1 answered.')
    await tab.counted('done', 2)
  })

  it('kills both tokens: whoever waits for new ones is told that the session is over', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.pressAndHear('kill-refresh-token', 'The next refresh is refused for good: invalid_grant.')
    await tab.expire()
    const lights = await tab.lights()
    const renewal = await tab.holdBurst()
    renewal.answer()
    await tab.told('0 of 100 answered. 100 failed: session expired.')
    await tab.counted('rejected', 100)
    expect(await panel.litStates()).toEqual(['expired'])
    expect(new Set(await panel.lanes())).toEqual(new Set(['rejected: sent held']))
    await tab.event('requestRejected').filter({ hasText: 'count 100' }).waitFor()
    expect(await lights()).toContain('refreshing.exchange.requesting -> expired')
    expect(exchangesOf(server)).toBe(1)
  })

  it('fails three refreshes: it backs off, requests wait, and the session is kept', async () => {
    await using tab = await open()
    const { page, panel, server } = tab
    await tab.signIn()
    await tab.expire()
    await tab.pressAndHear('fail-refreshes', 'The next three refreshes get a 500.')
    const lights = await tab.lights()
    // The time it backs off for is a matter of chance.
    await page.evaluate(() => playground.clock.freeze())
    await tab.press('burst')
    await panel.lit('refreshing.exchange.backingOff').waitFor()
    expect(await panel.litStates()).toEqual(refreshing('backingOff', 'closed'))
    await tab.fact('Failed tries', '1')
    await tab.counted('held', 100)
    expect(await tab.event('refreshFailed').count()).toBe(1)
    expect(await tab.subject()).toBe('ada')

    await page.evaluate(() => playground.clock.thaw())
    await tab.told('100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.renewable'])
    expect(await tab.event('refreshFailed').locator('.details').allTextContents()).toEqual(
      [3, 2, 1].map((attempt) => expect.stringContaining(`attempt ${attempt}`)),
    )
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.exchange.requesting -> refreshing.exchange.backingOff',
        'refreshing.exchange.backingOff -> refreshing.exchange.requesting',
      ]),
    )
    await tab.fact('Generation', '2')
    expect(await tab.subject()).toBe('ada')
    expect(await panel.part('[data-fact="Failed tries"]').isHidden()).toBe(true)
    expect([exchangesOf(server), server.refreshes, server.reuseDetections]).toEqual([1, 1, 0])
    expect(await panel.events()).not.toContain('expired')
  })

  it('loses the answer to a refresh: it is asked for once more, and the session is kept', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.expire()
    await tab.pressAndHear('lose-answer', 'The answer to the next refresh will be lost.')
    const lights = await tab.lights()
    const renewal = server.holdNext()
    await tab.press('burst')
    await tab.counted('held', 100)
    renewal.answer()
    await tab.told('100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.exchange.requesting -> refreshing.exchange.uncertain',
        'refreshing.exchange.uncertain -> refreshing.exchange.requesting',
        'refreshing.exchange.requesting -> authenticated',
      ]),
    )
    expect(await tab.event('refreshFailed').count()).toBe(1)
    await tab.fact('Generation', '2')
    expect(await tab.subject()).toBe('ada')
    expect(new Set(await panel.lanes())).toEqual(new Set(['done: sent held replayed']))
    expect([exchangesOf(server), server.refreshes, server.reuseDetections]).toEqual([2, 2, 0])

    await tab.entry('refreshing.exchange.uncertain').click()
    await panel.lit('refreshing.exchange.uncertain').waitFor()
    expect(await panel.litStates()).toEqual(refreshing('uncertain', 'closed'))
  })
})
