import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { laterAnswersOf, playgroundSuite, storedIn, TEST_TIME } from './playground-page.ts'

describe.skipIf(!hasChromium)('the sessions of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('reject the held requests of the first user when another user signs in', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.expire()
    const refresh = await tab.holdBurst()
    const lights = await tab.lights()
    await tab.press('sign-in-other')
    await tab.counted('rejected', 100)
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await tab.subject()).toBe('grace')
    expect(new Set(await panel.lanes())).toEqual(new Set(['rejected: sent held']))
    await tab
      .event('requestRejected')
      .filter({ hasText: 'count 100' })
      .filter({ hasText: 'user_changed' })
      .waitFor()
    expect(await lights()).toEqual(
      expect.arrayContaining(['* -> authenticating', 'authenticating -> authenticated']),
    )
    expect(laterAnswersOf(server)).toEqual([])

    refresh.answer()
    await tab.event('discarded').waitFor()
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(laterAnswersOf(server)).toEqual(['200 1 grace'])
    expect(await tab.subject()).toBe('grace')
    await tab.pressAndWait('sign-in-other', 'Signed in as ada.')
    await tab.pressAndWait('request', 'GET /api/authors: 1 of 1 answered.')
    expect(laterAnswersOf(server)).toEqual(['200 1 grace', '200 1 ada'])
    expect(server.reuseDetections).toBe(0)
  })

  it('reject held requests on a sign-out during a refresh, and ignore the late answer', async () => {
    await using tab = await open()
    const { panel, server } = tab
    await tab.signIn()
    await tab.expire()
    const refresh = await tab.holdBurst()
    const lights = await tab.lights()
    await tab.press('sign-out')
    await panel.lit('loggedOut').waitFor()
    await tab.counted('rejected', 100)
    expect(await panel.litStates()).toEqual(['loggedOut'])
    expect(await lights()).toEqual(expect.arrayContaining(['* -> signingOut', 'signingOut -> loggedOut']))
    expect(new Set(await panel.lanes())).toEqual(new Set(['rejected: sent held']))
    await tab.fact('Reason', 'signed_out')
    await tab.event('signedOut').waitFor()
    expect(server.revocations).toBe(1)

    // Its tokens have been revoked.
    refresh.answer()
    await expect
      .poll(() => server.log.find(({ bodyText }) => bodyText.includes('refresh_token='))?.status)
      .toBe(400)
    await tab.pressAndWait('request', 'GET /api/books: 0 of 1 answered. 1 failed: status 401.')
    expect(laterAnswersOf(server)).toEqual(['401  '])
    expect(await panel.litStates()).toEqual(['loggedOut'])
    expect(await storedIn(tab.page)).toBe(null)
    expect(await tab.subject()).toBe('')
  })

  it('survive a reload of the page', async () => {
    await using tab = await open()
    const { page, panel, server } = tab
    await tab.signIn()
    await page.reload()
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await tab.subject()).toBe('ada')
    await tab.entry('restoring').waitFor()
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(server.tokenRequests).toBe(0)
  })
})
