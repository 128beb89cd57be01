import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import type { TabOptions } from './tab-session.ts'
import { past, tabsSuite, until } from './tabs-suite.ts'

/** How long access tokens live, in milliseconds. */
const LIFETIME = 2_000
/** They are renewed at the last moment, so that there is time to leave the page. */
const LATE: TabOptions['auth'] = { refreshAhead: 50 }

/** What Chromium says of a page that it could not bring back. */
interface NotRestored extends PerformanceEntry {
  readonly notRestoredReasons?: { readonly reasons: readonly { readonly reason: string }[] } | null
}

describe.skipIf(!hasChromium)('a page that comes back out of the back/forward cache', () => {
  const { serve, signedIn, start, untilDead, requests } = tabsSuite({ plain: true })

  const leave = (page: Page) => page.goto(new URL('/elsewhere', page.url()).href)

  /** Goes back, and makes sure that it is the same page, and not a new one. */
  async function comeBack(page: Page) {
    await page.goBack({ waitUntil: 'commit' })
    await until(page, () => 'tab' in globalThis)
    expect(await page.evaluate(notRestored), 'why it is another page').toBe(null)
    await until(page, () => tab.returned())
  }

  const notRestored = () => {
    const [entry] = performance.getEntriesByType('navigation') as NotRestored[]
    return entry?.notRestoredReasons?.reasons ?? null
  }

  it('renews its token, which died meanwhile, once and before its first request goes', async () => {
    const server = await serve({ accessTokenLifetime: LIFETIME })
    const [page] = await signedIn(1, { auth: LATE })
    await page.evaluate(() => tab.askOnWaking('/api/first', 10))
    await leave(page)
    const { refreshes } = server
    await past(Date.now() + LIFETIME)
    expect(server.refreshes).toBe(refreshes)
    await comeBack(page)
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(server).toMatchObject({ refreshes: refreshes + 1, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  it('takes over what another tab renewed meanwhile', async () => {
    const server = await serve()
    const [page, other] = (await signedIn(2, { lifetime: LIFETIME, auth: LATE })) as [Page, Page]
    await page.evaluate(() => tab.askOnWaking('/api/first', 10))
    const own = await page.evaluate(() => tab.refreshCalls())
    await leave(page)
    await untilDead()
    await other.evaluate(() => tab.refresh())
    const { refreshes } = server
    await comeBack(page)
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(await page.evaluate(() => tab.refreshCalls())).toBe(own)
    expect(server).toMatchObject({
      tokenRequests: refreshes,
      refreshes,
      reuseDetections: 0,
      expiredTokenUses: 0,
    })
  })

  const WAYS: [string, TabOptions][] = [
    ['with a coordinator', {}],
    ['without a coordinator, from localStorage', { coordinated: false }],
    ['with a coordinator, from an encrypted store', { store: 'encrypted' }],
    ['without a coordinator, from an encrypted store', { store: 'encrypted', coordinated: false }],
  ]

  describe.each(WAYS)('finds out, %s,', (_, options) => {
    it('that the user signed out elsewhere', async () => {
      await serve()
      const [page, other] = (await signedIn(2, options)) as [Page, Page]
      await leave(page)
      await other.evaluate(() => tab.signOut())
      await comeBack(page)
      await until(page, () => tab.state() === 'loggedOut')
      expect(await page.evaluate(() => tab.token())).toBeUndefined()
    })

    it('that somebody else signed in elsewhere', async () => {
      await serve()
      const [page, other] = (await signedIn(2, options)) as [Page, Page]
      await leave(page)
      await other.evaluate(() => tab.signIn('bob'))
      await comeBack(page)
      await until(page, () => tab.subject() === 'bob')
      expect(await page.evaluate(() => tab.token())).toBe(await other.evaluate(() => tab.token()))
      expect(await page.evaluate(() => tab.ask('/api/hello'))).toBe('200')
    })
  })

  describe('and was left in the middle of an exchange', () => {
    /** The first tab is left while the server has its exchange before it. Nobody would ever go without the lock. */
    async function leftInExchange(tabs: number) {
      const server = await serve({ reuseGrace: 60_000 })
      const [page, ...others] = await signedIn(tabs, { auth: { timeouts: { lock: 600_000 } } })
      server.expireAccessTokens()
      const held = server.holdNext()
      await page.evaluate(() => tab.startAsking('/api/left'))
      await held.arrived
      return { server, page, others: others as [Page, Page], held }
    }

    const waiting = (page: Page, count: number) =>
      until(page, async (count) => (await navigator.locks.query()).pending?.length === count, count)

    it.each(['before', 'after'])('goes on with it, where the answer comes %s its return', async (when) => {
      const { server, page, held } = await leftInExchange(1)
      await leave(page)
      if (when === 'before') held.answer()
      await comeBack(page)
      if (when === 'after') held.answer()
      expect(await page.evaluate(() => tab.result())).toBe('200')
      expect(server).toMatchObject({ tokenRequests: 1, refreshes: 1 })
    })

    it('gives the lock to a tab that needs it, and begins anew with what that one got', async () => {
      const {
        server,
        page,
        others: [other],
      } = await leftInExchange(2)
      await leave(page)
      expect(await other.evaluate(() => tab.ask('/api/other'))).toBe('200')
      await page.goBack({ waitUntil: 'load' })
      expect(await page.evaluate(notRestored)).toEqual([{ reason: 'weblocks-contention' }])
      expect(await start(page)).toBe('authenticated')
      expect(await page.evaluate(() => tab.token())).toBe(await other.evaluate(() => tab.token()))
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })

    it('does not keep a lock that falls to it meanwhile from a tab that needs it', async () => {
      const { server, page, others, held } = await leftInExchange(3)
      const [left, third] = others
      await left.evaluate(() => tab.startAsking('/api/left'))
      await waiting(left, 1)
      await leave(left)
      await third.evaluate(() => tab.startRefresh())
      await waiting(third, 2)
      held.answer()
      expect(await page.evaluate(() => tab.result())).toBe('200')
      expect(await third.evaluate(() => tab.result())).toBe('refreshed')
      expect(server.reuseDetections).toBe(0)
    })
  })
})
