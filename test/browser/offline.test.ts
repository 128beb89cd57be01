import { describe, expect, it } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import type { HeldTokenRequest } from '../../src/testing/token-server/token-server.ts'
import { canGoOffline, hasBrowser } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import type { TabOptions } from './tab-session.ts'
import { everywhere, tabsSuite, until } from './tabs-suite.ts'

/** The lifetime of the first token, in milliseconds. Later tokens live for an hour. */
const LIFETIME = 1_000

/** Backs off for so little time that an unwanted attempt is noticed. Offline, attempts are `maxDelay` apart. */
const EAGER: TabOptions['auth'] = { retry: { minDelay: 5, maxDelay: 600_000, jitter: 0, attempts: 1_000 } }

describe.runIf(hasBrowser && canGoOffline)('a session that goes offline and online', () => {
  const { serve, open, start, signIn, signedIn, untilExpired, requests } = tabsSuite()

  /** Opens tabs offline. Their token has expired. */
  async function cutOff(tabs = 1, auth: TabOptions['auth'] = EAGER) {
    const pages = await open(tabs)
    const context = pages[0].context()
    await context.setOffline(true)
    await everywhere(pages, () => !navigator.onLine)
    await signIn(pages, { auth, lifetime: LIFETIME })
    await untilExpired()
    await everywhere(pages, () => tab.isCutOff())
    return { pages, reconnect: () => context.setOffline(false) }
  }

  const refreshCalls = (page: Tab) => page.evaluate(() => tab.refreshCalls())

  it('attempts a refresh for requests that arrive offline, holds them, and refreshes once when online', async () => {
    const server = await serve()
    const { pages, reconnect } = await cutOff()
    const [page] = pages
    expect(await refreshCalls(page)).toBe(1)
    await page.evaluate(() => tab.startRequests('/api/waits', 20))
    await until(page, () => tab.held() === 20 && tab.refreshCalls() === 2 && tab.isCutOff())
    expect(server.tokenRequests).toBe(0)
    await reconnect()
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(await refreshCalls(page)).toBe(3)
    expect(server).toMatchObject({ tokenRequests: 1, refreshes: 1, expiredTokenUses: 0 })
    expect(requests('/api/waits')).toHaveLength(20)
  })

  it('rejects a request after timeouts.hold, and continues when the network is back', async () => {
    const server = await serve()
    const { pages, reconnect } = await cutOff(1, { ...EAGER, timeouts: { hold: 200 } })
    const [page] = pages
    expect(await page.evaluate(() => tab.request('/api/waits'))).toBe('HoldTimeoutError: timeout')
    expect(await page.evaluate(() => [tab.state(), tab.subject(), tab.held()])).toEqual([
      'refreshing',
      'ada',
      0,
    ])
    await reconnect()
    await until(page, () => tab.state() === 'authenticated')
    expect(await page.evaluate(() => tab.request('/api/later'))).toBe('200')
    expect(requests('/api/waits')).toEqual([])
    expect(server).toMatchObject({ tokenRequests: 1, expiredTokenUses: 0 })
  })

  it('is refreshed once for all tabs when they go online together', async () => {
    const server = await serve()
    const { pages, reconnect } = await cutOff(4)
    for (const page of pages) await page.evaluate(() => tab.startRequests('/api/waits', 5))
    await everywhere(pages, () => tab.held() === 5)
    // Each tab receives its own online event. Hold the response until all tabs have received it.
    const held = server.holdNext()
    await reconnect()
    await everywhere(pages, () => navigator.onLine)
    held.answer()
    for (const page of pages) expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(await Promise.all(pages.map((page) => page.evaluate(() => tab.subject())))).toEqual(
      Array(4).fill('ada'),
    )
    expect(server).toMatchObject({ tokenRequests: 1, refreshes: 1, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/waits')).toHaveLength(20)
  })

  it('waits for the network if a page starts offline', async () => {
    const server = await serve()
    const [first, page] = (await open(2)) as [Tab, Tab]
    const context = page.context()
    await context.setOffline(true)
    await everywhere([first, page], () => !navigator.onLine)
    await signIn([first], { lifetime: LIFETIME })
    await untilExpired()
    await first.close()
    expect(await start(page, { auth: EAGER })).toBe('refreshing')
    await until(page, () => tab.isCutOff())
    await page.evaluate(() => tab.startRequests('/api/waits'))
    await until(page, () => tab.held() === 1 && tab.refreshCalls() === 2 && tab.isCutOff())
    expect(server.tokenRequests).toBe(0)
    await context.setOffline(false)
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(await refreshCalls(page)).toBe(3)
    expect(server).toMatchObject({ tokenRequests: 1, expiredTokenUses: 0 })
  })

  describe('during a refresh', () => {
    /** Opens a tab with an expired token and a held request. It goes offline while the server holds its refresh. */
    async function offlineDuringRefresh(options: TokenServerOptions = {}) {
      const server = await serve(options)
      const [page] = await signedIn(1, { auth: EAGER })
      server.expireAccessTokens()
      const held = server.holdNext()
      await page.evaluate(() => tab.startRequests('/api/waits'))
      await held.arrived
      await page.context().setOffline(true)
      await until(page, () => !navigator.onLine)
      return { server, page, held, reconnect: () => page.context().setOffline(false) }
    }

    const CUTS: [string, (held: HeldTokenRequest) => void, number][] = [
      ['before the server has acted', (held) => held.drop(), 1],
      ['after the server has acted, within its grace period', (held) => held.dropAnswer(), 2],
    ]

    it.each(CUTS)('waits and retries once when online if it was cut off %s', async (_, cut, refreshes) => {
      const { server, page, held, reconnect } = await offlineDuringRefresh({ reuseGrace: 60_000 })
      cut(held)
      await until(page, () => tab.isCutOff())
      // After an attempt without an answer, one more is made at once. It does not leave the page.
      expect([await refreshCalls(page), server.tokenRequests]).toEqual([2, 1])
      expect(await page.evaluate(() => tab.held())).toBe(1)
      await reconnect()
      expect(await page.evaluate(() => tab.result())).toBe('200')
      expect(await refreshCalls(page)).toBe(3)
      expect(server).toMatchObject({ tokenRequests: 2, refreshes, reuseDetections: 0 })
      expect(new Set(requests('/token').map(({ generation }) => generation))).toEqual(new Set([1]))
    })

    it('uses a response that still arrives', async () => {
      const { server, page, held, reconnect } = await offlineDuringRefresh()
      held.answer()
      await until(page, () => tab.history().includes('refreshed'))
      await reconnect()
      expect(await page.evaluate(() => tab.request('/api/later'))).toBe('200')
      expect(server).toMatchObject({ tokenRequests: 1, refreshes: 1 })
    })
  })
})
