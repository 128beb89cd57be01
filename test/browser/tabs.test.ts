import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import { crash } from '../support/browsers/crash.ts'
import { hasBrowser, setsSecureCookies, survivesCrash } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { createTabsHarness, type TabsHarness } from './tabs-harness.ts'
import type { TabOptions } from './tabs-page.ts'
import { everywhere as inAll, past, tabsSuite, until } from './tabs-suite.ts'

/** Duration of the load test in seconds. The long run uses AUTHCHART_SECONDS=60. */
const SECONDS = Number(process.env.AUTHCHART_SECONDS ?? 8)
const LIFETIME = 2_000

describe.skipIf(!hasBrowser)('tabs that share a session', () => {
  let harness: TabsHarness
  let server: TokenServer
  let listening: ListeningTokenServer

  beforeAll(async () => {
    harness = await createTabsHarness()
  }, 180_000)

  afterAll(() => harness?.close())

  afterEach(async () => {
    await harness.closeTabs()
    await listening?.close()
    expect(harness.problems.splice(0)).toEqual([])
  })

  async function serve(options: TokenServerOptions = {}) {
    server = createTokenServer(options)
    listening = await server.listen()
  }

  /** Starts the sessions of tabs. The first tab signs ada in, the others restore her session from the store. */
  async function signedIn([first, ...others]: Tab[], options: TabOptions = {}) {
    const tokens = { ...server.issue('ada'), subject: 'ada' }
    const state = await first!.evaluate(([url, options]) => tab.open(url, options), [
      listening.url,
      { ...options, tokens },
    ] as const)
    const states = await Promise.all(
      others.map((page) =>
        page.evaluate(([url, options]) => tab.open(url, options), [listening.url, options] as const),
      ),
    )
    expect([state, ...states]).toEqual(Array(others.length + 1).fill('authenticated'))
  }

  const everywhere = (pages: Tab[], condition: () => boolean) =>
    Promise.all(pages.map((page) => until(page, condition)))

  /** The requests to a path that the server received, without preflights. */
  const requests = (path: string) =>
    server.log.filter((request) => request.path === path && request.method !== 'OPTIONS')

  it(
    `refresh once for all of them, and no app sees a 401: 8 tabs, ${SECONDS} s`,
    async () => {
      await serve({ accessTokenLifetime: LIFETIME })
      const pages = await harness.open(8)
      const start = Date.now()
      await signedIn(pages)
      const statuses = await Promise.all(
        pages.map((page) =>
          page.evaluate((duration) => tab.requestConstantly(duration, 25), SECONDS * 1_000),
        ),
      )
      const elapsed = Date.now() - start
      const { refreshes, tokenRequests, reuseDetections } = server
      const requested = statuses.reduce((sum, seen) => sum + (seen['200'] ?? 0), 0)
      console.info(
        `8 tabs, ${(elapsed / 1_000).toFixed(1)} s, ${requested} requests: ${refreshes} refreshes, ` +
          `${((refreshes * LIFETIME) / elapsed).toFixed(2)} for each lifetime of ${LIFETIME / 1_000} s, ` +
          `${reuseDetections} reuse detections`,
      )
      expect(statuses.map((seen) => Object.keys(seen))).toEqual(Array(8).fill(['200']))
      expect(reuseDetections).toBe(0)
      expect(refreshes).toBeGreaterThan(0)
      expect(tokenRequests).toBe(refreshes)
      // A token is refreshed a fifth of its lifetime before it expires, and never earlier: neither the clock nor a 401 for an
      // expired token can request it sooner. So there are at least four fifths of a lifetime between two refreshes.
      expect(refreshes).toBeLessThanOrEqual(elapsed / (0.8 * LIFETIME))
      const tokens = await Promise.all(pages.map((page) => page.evaluate(() => tab.token())))
      expect(tokens.every((token) => token !== undefined)).toBe(true)
    },
    (SECONDS + 60) * 1_000,
  )

  it('read under the lock what the previous owner of the lock wrote', async () => {
    await serve()
    const pages = await harness.open(4)
    await pages[0]!.evaluate(() => tab.holdLock())
    const counting = pages.map((page) => page.evaluate(() => tab.countUnderLock(3)))
    // Wait until all of them wait, so that the lock passes from one to the next at once.
    await until(pages[0]!, async () => (await navigator.locks.query()).pending?.length === 4)
    await pages[0]!.evaluate(() => tab.releaseLock())
    await Promise.all(counting)
    const counted = await Promise.all(pages.map((page) => page.evaluate(() => tab.counted())))
    expect(Math.max(...counted)).toBe(12)
  })

  const ENDINGS: [string, (page: Tab) => Promise<unknown>][] = [['is closed', (page) => page.close()]]
  if (survivesCrash) ENDINGS.push(['crashes', crash])

  describe.each(ENDINGS)('when the tab that refreshes %s', (_, kill) => {
    /** Opens three tabs with an expired token. The server holds the refresh of the first, the second waits for the lock. */
    async function startRefreshing() {
      const pages = (await harness.open(3)) as [Tab, Tab, Tab]
      await signedIn(pages)
      server.expireAccessTokens()
      const held = server.holdNext()
      await pages[0].evaluate(() => tab.startRefresh())
      await held.arrived
      await pages[1].evaluate(() => tab.startRequests('/api/waits'))
      await until(pages[1], async () => (await navigator.locks.query()).pending?.length === 1)
      expect(server.tokenRequests).toBe(1)
      return { held, pages }
    }

    it('another tab refreshes, and no request fails', async () => {
      await serve()
      const { pages } = await startRefreshing()
      await kill(pages[0])
      expect(await pages[1].evaluate(() => tab.result())).toBe('200')
      expect(await pages[2].evaluate(() => tab.request('/api/third'))).toBe('200')
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })

    it('after the server issued new tokens, another tab gets tokens within the grace period', async () => {
      await serve({ reuseGrace: 60_000 })
      const { held, pages } = await startRefreshing()
      const again = server.holdNext()
      await kill(pages[0])
      expect((await again.arrived).generation).toBe((await held.arrived).generation)
      held.answer()
      again.answer()
      expect(await pages[1].evaluate(() => tab.result())).toBe('200')
      expect(await pages[2].evaluate(() => tab.request('/api/third'))).toBe('200')
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 2, reuseDetections: 0 })
    })
  })

  it('are all signed in when one of them signs in', async () => {
    await serve()
    const pages = await harness.open(3)
    const states = await Promise.all(
      pages.map((page) => page.evaluate((url) => tab.open(url), listening.url)),
    )
    expect(states).toEqual(['anonymous', 'anonymous', 'anonymous'])
    await pages[1]!.evaluate(() => tab.signIn('ada'))
    await everywhere(pages, () => tab.subject() === 'ada')
    expect(await Promise.all(pages.map((page) => page.evaluate(() => tab.request('/api/hello'))))).toEqual(
      Array(3).fill('200'),
    )
    expect(server.tokenRequests).toBe(1)
  })

  it('are all signed out when one of them signs out, and discard the result of a refresh in progress', async () => {
    await serve()
    const pages = (await harness.open(3)) as [Tab, Tab, Tab]
    await signedIn(pages)
    server.expireAccessTokens()
    const held = server.holdNext()
    await pages[0].evaluate(() => tab.startRequests('/api/waits'))
    await held.arrived
    await pages[1].evaluate(() => tab.signOut())
    await everywhere(pages, () => tab.state() === 'loggedOut')
    expect(await pages[0].evaluate(() => tab.result())).toBe('SignedOutError: signed_out')
    held.answer()
    await until(pages[0], () => tab.history().includes('discarded'))
    for (const page of pages) {
      expect(await page.evaluate(async () => [tab.state(), await tab.token(), tab.stored()])).toEqual([
        'loggedOut',
        undefined,
        null,
      ])
    }
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
    expect(requests('/api/waits')).toHaveLength(1)
  })

  it('notify each other of a sign-out if the store does not', async () => {
    await serve()
    const pages = await harness.open(3)
    await signedIn(pages, { storeNotifies: false })
    await pages[1]!.evaluate(() => tab.signOut())
    await everywhere(pages, () => tab.state() === 'loggedOut')
  })

  it('all switch to another user who signs in, and send no request of the old user as the new one', async () => {
    await serve()
    const pages = (await harness.open(3)) as [Tab, Tab, Tab]
    await signedIn(pages)
    const inFlight = server.holdApiNext(({ path }) => path === '/api/in-flight')
    await pages[1].evaluate(() => tab.startRequests('/api/in-flight'))
    await inFlight.arrived
    const refused = server.holdApiNext(({ path }) => path === '/api/waits')
    const refresh = server.holdNext()
    await pages[2].evaluate(() => tab.startRequests('/api/waits'))
    refused.refuse()
    await refresh.arrived

    await pages[0].evaluate(() => tab.signIn('bob'))
    await everywhere(pages, () => tab.subject() === 'bob')
    inFlight.refuse()
    expect(await pages[1].evaluate(() => tab.result())).toBe('401')
    expect(await pages[2].evaluate(() => tab.result())).toBe('SignedOutError: user_changed')
    refresh.answer()
    await until(pages[2], () => tab.history().includes('discarded'))

    const tokens = await Promise.all(
      pages.map((page) => page.evaluate(async () => [await tab.token(), tab.stored()?.accessToken])),
    )
    expect(new Set(tokens.flat()).size).toBe(1)
    for (const page of pages) expect(await page.evaluate(() => tab.request('/api/now'))).toBe('200')
    expect(requests('/api/now').map(({ authorization }) => authorization)).toEqual(
      Array(3).fill(`Bearer ${tokens[0]![0]}`),
    )
    expect(requests('/api/in-flight')).toHaveLength(1)
    expect(requests('/api/waits')).toHaveLength(1)
    expect(server.reuseDetections).toBe(0)
  })

  describe('without Web Locks', () => {
    const noLocks = () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })

    /** Opens two tabs. The server holds the refresh of the first, and the second has started one as well. */
    async function startRefreshing() {
      const pages = (await harness.open(2, noLocks)) as [Tab, Tab]
      await signedIn(pages)
      const held = server.holdNext()
      await pages[0].evaluate(() => tab.startRefresh())
      await held.arrived
      await pages[1].evaluate(() => tab.startRefresh())
      await until(pages[1], () => tab.state() === 'refreshing')
      return { held, pages }
    }

    it('wait for the tab that has the lease, and use its new tokens', async () => {
      await serve()
      const { held, pages } = await startRefreshing()
      held.answer()
      expect(await Promise.all(pages.map((page) => page.evaluate(() => tab.result())))).toEqual([
        'refreshed',
        'refreshed',
      ])
      await until(pages[1], () => localStorage.getItem('authchart:refresh') === null)
      expect(server).toMatchObject({ tokenRequests: 1, reuseDetections: 0 })
      const [mine, theirs] = await Promise.all(pages.map((page) => page.evaluate(() => tab.token())))
      expect(mine).toBe(theirs)
    })

    it.runIf(survivesCrash)('continue once the lease of a crashed tab has expired', async () => {
      await serve()
      const { pages } = await startRefreshing()
      await crash(pages[0])
      expect(await pages[1].evaluate(() => tab.result())).toBe('refreshed')
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })
  })

  it('share one session without locks and leases if the server has a grace period', async () => {
    await serve({ reuseGrace: 60_000 })
    const pages = (await harness.open(2, () => {
      Object.defineProperty(globalThis, 'BroadcastChannel', { value: undefined })
    })) as [Tab, Tab]
    await signedIn(pages, { turns: false })
    const held = server.holdNext(2)
    for (const page of pages) await page.evaluate(() => tab.startRefresh())
    await held.arrived
    held.answer()
    for (const page of pages) expect(await page.evaluate(() => tab.result())).toBe('refreshed')
    await pages[0].evaluate(() => tab.refresh())
    const token = await pages[0].evaluate(() => tab.token())
    await until(pages[1], async (token) => (await tab.token()) === token, token)
    expect(await pages[1].evaluate(() => tab.stored()?.accessToken)).toBe(token)
    expect(await pages[1].evaluate(() => tab.request('/api/hello'))).toBe('200')
    expect(server).toMatchObject({ tokenRequests: 3, refreshes: 3, reuseDetections: 0 })
  })
})

describe.skipIf(!hasBrowser)('a frame of the same origin, with the session in sessionStorage', () => {
  const { serve, signedIn, url } = tabsSuite()

  it('shares the session with its page, and each of them may refresh it', async () => {
    const server = await serve()
    const [page] = await signedIn(1, { store: 'tab' })
    const opened = await page.evaluate(async (url) => {
      const frame = document.body.appendChild(document.createElement('iframe'))
      frame.src = '/frame'
      await new Promise((resolve) => frame.addEventListener('load', resolve))
      const { tab: inFrame } = frame.contentWindow as unknown as typeof globalThis
      const state = await inFrame.open(url, { store: 'tab' })
      await inFrame.refresh()
      await tab.refresh()
      return [state, inFrame.state(), tab.state()]
    }, url())
    expect(opened).toEqual(['authenticated', 'authenticated', 'authenticated'])
    expect(await page.evaluate(() => tab.request('/api/hello'))).toBe('200')
    expect(server.reuseDetections).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('tabs whose session ends', () => {
  const { serve, open, start, requests } = tabsSuite()

  const WAYS: readonly (readonly [way: string, options: TabOptions])[] = [
    ["with persist: 'all'", {}],
    ["with persist: 'refresh-token'", { auth: { persist: 'refresh-token' } }],
    ["with persist: 'none'", { auth: { persist: 'none' } }],
    ['in a cookie', { cookie: true, store: 'memory' }],
    ['in a cookie, with a record in a store', { cookie: true, auth: { persist: 'refresh-token' } }],
  ]

  it.each(WAYS)(
    '%s are all expired for one reason, hold their requests, and continue together',
    async (_, way) => {
      const server = await serve({ jwt: true, secureCookie: setsSecureCookies, csrfHeader: 'x-requested-by' })
      const options: TabOptions = { ...way, auth: { ...way.auth, whenExpired: 'hold' } }
      const pages = await open(3)
      const isAlone = way.auth?.persist === 'none'
      for (const [index, page] of pages.entries()) {
        await start(page, options)
        if (index === 0 || isAlone) await page.evaluate(() => tab.signIn('ada'))
        await until(page, () => tab.state() === 'authenticated')
      }
      server.killRefreshTokens()
      server.expireAccessTokens()
      await Promise.all(pages.map((page) => page.evaluate(() => tab.startRequests('/api/waits'))))
      await inAll(pages, () => tab.state() === 'expired')
      // Longer than messages and changes of the store take.
      await past(Date.now() + 500)
      for (const page of pages) {
        expect(
          await page.evaluate(() => [tab.state(), tab.reasons('expired'), tab.reasons('signedOut')]),
        ).toEqual(['expired', ['invalid_grant'], []])
        await page.evaluate(() => tab.startRequests('/api/later'))
        await until(page, () => tab.held() > 0)
      }
      expect(requests('/api/later')).toEqual([])

      const [, , last] = pages as Tab[]
      await last!.evaluate(() => tab.signIn('ada'))
      const continuing = isAlone ? [last!] : pages
      await inAll(continuing, () => tab.state() === 'authenticated')
      for (const page of continuing) expect(await page.evaluate(() => tab.result())).toBe('200')
      expect(requests('/api/later').map(({ status }) => status)).toEqual(Array(continuing.length).fill(200))
      await last!.evaluate(() => tab.signOut())
      await inAll(pages, () => tab.state() === 'loggedOut')
    },
  )

  it('end nothing if another page removes the record and writes it again in one task', async () => {
    const server = await serve()
    const [page, other] = (await open(2)) as [Tab, Tab]
    await start(page, { tokens: { ...server.issue('ada'), subject: 'ada' } })
    await other.evaluate(() => {
      for (let times = 0; times < 50; times++) {
        const record = localStorage.getItem('authchart')!
        localStorage.removeItem('authchart')
        localStorage.setItem('authchart', record)
      }
    })
    await past(Date.now() + 500)
    expect(await page.evaluate(() => [tab.state(), tab.history()])).toEqual(['authenticated', []])
  })
})
