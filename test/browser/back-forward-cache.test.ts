import { describe, expect, it } from 'vitest'
import { ENGINE, hasBrowser } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { goBackTo, notRestored } from '../support/browsers/until.ts'
import type { TabOptions } from './tab-session.ts'
import { past, tabsSuite, until } from './tabs-suite.ts'

/** The lifetime of access tokens, in milliseconds. */
const LIFETIME = 2_000
/** Tokens are refreshed at the last moment, so that there is time to leave the page. */
const LATE: TabOptions['auth'] = { refreshAhead: 50 }

describe.skipIf(!hasBrowser)('a page that returns from the back/forward cache', () => {
  const { serve, signedIn, start, untilExpired, requests } = tabsSuite({ plain: true })

  const leave = (page: Tab) => page.goto(new URL('/elsewhere', page.url()).href)

  /** Goes back, and checks that the page was restored and not loaded again. */
  async function goBack(page: Tab) {
    await goBackTo(page, () => 'tab' in globalThis)
    expect(await page.evaluate(notRestored), 'reasons why the page was not restored').toBe(null)
    await until(page, () => tab.returned())
  }

  it('refreshes its expired token once, before it sends its first request', async () => {
    const server = await serve({ accessTokenLifetime: LIFETIME })
    const [page] = await signedIn(1, { auth: LATE })
    await page.evaluate(() => tab.requestOnWake('/api/first', 10))
    await leave(page)
    const { refreshes } = server
    await past(Date.now() + LIFETIME)
    expect(server.refreshes).toBe(refreshes)
    await goBack(page)
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(server).toMatchObject({ refreshes: refreshes + 1, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  it('uses the tokens in sessionStorage that the next page of its tab refreshed', async () => {
    const server = await serve()
    const session: TabOptions = { store: 'tab', coordinated: false }
    const [page] = await signedIn(1, session)
    await page.evaluate(() => void Object.assign(globalThis, { isFirst: true }))
    await page.goto(new URL('/next', page.url()).href)
    await until(page, () => 'tab' in globalThis)
    expect(await start(page, session)).toBe('authenticated')
    await page.evaluate(() => tab.refresh())
    await goBackTo(page, () => 'isFirst' in globalThis)
    await page.evaluate(() => tab.refresh())
    expect(await page.evaluate(() => tab.request('/api/hello'))).toBe('200')
    expect(server).toMatchObject({ refreshes: 2, reuseDetections: 0 })
  })

  it('uses the tokens that another tab refreshed meanwhile', async () => {
    const server = await serve()
    const [page, other] = (await signedIn(2, { lifetime: LIFETIME, auth: LATE })) as [Tab, Tab]
    await page.evaluate(() => tab.requestOnWake('/api/first', 10))
    const own = await page.evaluate(() => tab.refreshCalls())
    await leave(page)
    await untilExpired()
    await other.evaluate(() => tab.refresh())
    const { refreshes } = server
    await goBack(page)
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(await page.evaluate(() => tab.refreshCalls())).toBe(own)
    expect(server).toMatchObject({
      tokenRequests: refreshes,
      refreshes,
      reuseDetections: 0,
      expiredTokenUses: 0,
    })
  })

  const MODES: [string, TabOptions][] = [
    ['with a coordinator', {}],
    ['without a coordinator, from localStorage', { coordinated: false }],
    ['with a coordinator, from an encrypted store', { store: 'encrypted' }],
    ['without a coordinator, from an encrypted store', { store: 'encrypted', coordinated: false }],
  ]

  describe.each(MODES)('%s', (_, options) => {
    it('notices that the user signed out in another tab', async () => {
      await serve()
      const [page, other] = (await signedIn(2, options)) as [Tab, Tab]
      await leave(page)
      await other.evaluate(() => tab.signOut())
      await goBack(page)
      await until(page, () => tab.state() === 'loggedOut')
      expect(await page.evaluate(() => tab.token())).toBeUndefined()
    })

    it('notices that another user signed in in another tab', async () => {
      await serve()
      const [page, other] = (await signedIn(2, options)) as [Tab, Tab]
      await leave(page)
      await other.evaluate(() => tab.signIn('bob'))
      await goBack(page)
      await until(page, () => tab.subject() === 'bob')
      expect(await page.evaluate(() => tab.token())).toBe(await other.evaluate(() => tab.token()))
      expect(await page.evaluate(() => tab.request('/api/hello'))).toBe('200')
    })
  })

  describe('after it was left during a refresh', () => {
    /** The server holds the refresh of the first tab. The lock timeout is long, so that no tab refreshes without the lock. */
    async function startRefreshing(tabs: number) {
      const server = await serve({ reuseGrace: 60_000 })
      const [page, ...others] = await signedIn(tabs, { auth: { timeouts: { lock: 600_000 } } })
      server.expireAccessTokens()
      const held = server.holdNext()
      await page.evaluate(() => tab.startRequests('/api/left'))
      await held.arrived
      return { server, page, others: others as [Tab, Tab], held }
    }

    const waiting = (page: Tab, count: number) =>
      until(page, async (count) => (await navigator.locks.query()).pending?.length === count, count)

    it.each(['before', 'after'])(
      'completes the refresh if the response arrives %s its return',
      async (when) => {
        const { server, page, held } = await startRefreshing(1)
        await leave(page)
        if (when === 'before') held.answer()
        await goBack(page)
        if (when === 'after') held.answer()
        expect(await page.evaluate(() => tab.result())).toBe('200')
        // WebKit ends the requests of a page that it caches, so the refresh begins again.
        const refreshes = ENGINE === 'webkit' ? 2 : 1
        expect(server).toMatchObject({ tokenRequests: refreshes, refreshes, reuseDetections: 0 })
      },
    )

    it('uses the tokens of another tab that needed the lock meanwhile, even if it was evicted for that', async () => {
      const {
        server,
        page,
        others: [other],
      } = await startRefreshing(2)
      await leave(page)
      expect(await other.evaluate(() => tab.request('/api/other'))).toBe('200')
      await goBackTo(page, () => 'tab' in globalThis)
      const isRestored = await page.evaluate(() => 'auth' in globalThis)
      if (ENGINE === 'chromium')
        expect(await page.evaluate(notRestored)).toEqual([{ reason: 'weblocks-contention' }])
      if (!isRestored) expect(await start(page)).toBe('authenticated')
      const token = await other.evaluate(() => tab.token())
      await until(page, async (token) => (await tab.token()) === token, token)
      // In Firefox a page that is being left sees its request fail, and repeats it at once if there is time.
      const { tokenRequests } = server
      expect(ENGINE === 'firefox' ? [2, 3] : [2]).toContain(tokenRequests)
      expect(server).toMatchObject({ refreshes: tokenRequests - 1, reuseDetections: 0 })
    })

    it('does not block a tab that needs the lock if the cached page gets the lock meanwhile', async () => {
      const {
        server,
        page,
        others: [cached, third],
        held,
      } = await startRefreshing(3)
      await cached.evaluate(() => tab.startRequests('/api/left'))
      await waiting(cached, 1)
      await leave(cached)
      const others = await third.evaluate(async () => (await navigator.locks.query()).pending?.length ?? 0)
      await third.evaluate(() => tab.startRefresh())
      await waiting(third, others + 1)
      held.answer()
      expect(await page.evaluate(() => tab.result())).toBe('200')
      expect(await third.evaluate(() => tab.result())).toBe('refreshed')
      expect(server.reuseDetections).toBe(0)
    })
  })
})
