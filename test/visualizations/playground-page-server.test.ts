import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { answersOf, playgroundSuite, refreshing, refreshRequestsOf, TEST_TIME } from './playground-page.ts'

describe.skipIf(!hasChromium)('the server controls of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('kill the refresh token: the session expires together with its last access token', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    const lights = await tab.lights()
    await tab.pressAndWait('kill-refresh-token', 'The next refresh will fail for good: invalid_grant.')
    await tab.pressAndWait('refresh', 'No new token (invalid_grant). The current one is the last.')
    await panel.lit('authenticated.lastToken').waitFor()
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.lastToken'])
    await tab.event('refreshFailed').filter({ hasText: 'reason invalid_grant' }).waitFor()
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(answersOf(server)).toEqual(['200 1 ada'])

    await tab.expire()
    await tab.pressAndWait('request', 'GET /api/authors: 0 of 1 answered. 1 failed: session expired.')
    await panel.lit('expired').waitFor()
    expect(await panel.litStates()).toEqual(['expired'])
    await tab.counted('rejected', 1)
    await tab.fact('Reason', 'invalid_grant')
    expect(await tab.subject()).toBe('')
    await tab.event('expired').waitFor()
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.attempt.requesting -> authenticated.lastToken',
        'authenticated.lastToken -> expired',
      ]),
    )
    const requestCount = server.log.length
    await tab.pressAndWait('burst', '0 of 100 answered. 100 failed: session expired.')
    await tab.counted('rejected', 101)
    expect(server.log).toHaveLength(requestCount)
    expect([refreshRequestsOf(server), server.reuseDetections]).toEqual([1, 0])

    await tab.signIn()
    await tab.pressAndWait('request', 'GET /api/shelves/7: 1 of 1 answered.')
    await tab.counted('done', 2)
  })

  it('kill both tokens: held requests are rejected because the session expired', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.pressAndWait('kill-refresh-token', 'The next refresh will fail for good: invalid_grant.')
    await tab.expire()
    const lights = await tab.lights()
    const refresh = await tab.holdBurst()
    refresh.answer()
    await tab.statusIs('0 of 100 answered. 100 failed: session expired.')
    await tab.counted('rejected', 100)
    expect(await panel.litStates()).toEqual(['expired'])
    expect(new Set(await panel.lanes())).toEqual(new Set(['rejected: sent held']))
    await tab.event('requestRejected').filter({ hasText: 'count 100' }).waitFor()
    expect(await lights()).toContain('refreshing.attempt.requesting -> expired')
    expect(refreshRequestsOf(server)).toBe(1)
  })

  it('fail three refreshes: the session backs off, holds requests and survives', async () => {
    await using tab = await open()
    const { page, panel, server } = tab
    await tab.signIn()
    await tab.expire()
    await tab.pressAndWait('fail-refreshes', 'The next three refreshes will get a 500.')
    const lights = await tab.lights()
    // The backoff is random. Stop its timer, and set the clock back: with any event the chart looks whether it has passed.
    await page.evaluate(() => {
      const { auth, clock } = playground
      clock.freeze()
      const stop = auth.on('transition', ({ to }) => {
        if (to !== 'refreshing.attempt.backingOff') return
        stop()
        clock.shift(-60_000)
      })
    })
    await tab.press('burst')
    await panel.lit('refreshing.attempt.backingOff').waitFor()
    expect(await panel.litStates()).toEqual(refreshing('backingOff', 'closed'))
    await tab.fact('Failed attempts', '1')
    await tab.counted('held', 100)
    expect(await tab.event('refreshFailed').count()).toBe(1)
    expect(await tab.subject()).toBe('ada')

    await page.evaluate(() => {
      playground.clock.shift(60_000)
      playground.clock.thaw()
    })
    await tab.statusIs('100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    expect(await tab.event('refreshFailed').locator('.details').allTextContents()).toEqual(
      [3, 2, 1].map((attempt) => expect.stringContaining(`attempt ${attempt}`)),
    )
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.attempt.requesting -> refreshing.attempt.backingOff',
        'refreshing.attempt.backingOff -> refreshing.attempt.requesting',
      ]),
    )
    await tab.fact('Generation', '2')
    expect(await tab.subject()).toBe('ada')
    expect(await panel.part('[data-fact="Failed attempts"]').isHidden()).toBe(true)
    expect([refreshRequestsOf(server), server.refreshes, server.reuseDetections]).toEqual([1, 1, 0])
    expect(await panel.events()).not.toContain('expired')
  })

  it('lose the answer to a refresh: the session retries once and survives', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.expire()
    await tab.pressAndWait('lose-answer', 'The answer to the next refresh will be lost.')
    const lights = await tab.lights()
    const refresh = server.holdNext()
    await tab.press('burst')
    await tab.counted('held', 100)
    refresh.answer()
    await tab.statusIs('100 of 100 answered.')
    await tab.counted('done', 100)
    expect(await lights()).toEqual(
      expect.arrayContaining([
        'refreshing.attempt.requesting -> refreshing.attempt.ambiguous',
        'refreshing.attempt.ambiguous -> refreshing.attempt.requesting',
        'refreshing.attempt.requesting -> authenticated',
      ]),
    )
    expect(await tab.event('refreshFailed').count()).toBe(1)
    await tab.fact('Generation', '2')
    expect(await tab.subject()).toBe('ada')
    expect(new Set(await panel.lanes())).toEqual(new Set(['done: sent held replayed']))
    expect([refreshRequestsOf(server), server.refreshes, server.reuseDetections]).toEqual([2, 2, 0])

    await tab.entry('refreshing.attempt.ambiguous').click()
    await panel.lit('refreshing.attempt.ambiguous').waitFor()
    expect(await panel.litStates()).toEqual(refreshing('ambiguous', 'closed'))
  })
})
