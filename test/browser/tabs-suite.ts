import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { until } from '../support/browsers/until.ts'
import type { TabOptions } from './tab-session.ts'
import { createTabsHarness, type Tabs, type TabsHarness, type TabsHarnessOptions } from './tabs-harness.ts'

export interface SignedInOptions extends TabOptions {
  /** The lifetime of the first access token, in milliseconds. Default: that of the server. */
  readonly lifetime?: number
}

/** Sets up a suite with one browser for all tests, and a token server for each test. */
export function tabsSuite(options: TabsHarnessOptions = {}) {
  let harness: TabsHarness
  let server: TokenServer
  let listening: ListeningTokenServer
  /** The first access token of ada. */
  let firstToken: { readonly accessToken: string; readonly expiresAt: number }

  beforeAll(async () => {
    harness = await createTabsHarness(options)
  }, 60_000)

  afterAll(() => harness?.close())

  afterEach(async () => {
    await harness.closeTabs()
    await listening?.close()
    expect(harness.problems.splice(0), 'uncaught errors of pages').toEqual([])
  })

  const suite = {
    async serve(options: TokenServerOptions = {}): Promise<TokenServer> {
      server = createTokenServer(options)
      listening = await server.listen()
      return server
    },

    /** The URL of the token server. */
    url: () => listening.url,

    profile: (prepare?: () => void): Promise<Tabs> => harness.profile(prepare),

    /** Starts the session of a tab. Returns its state once it is ready. */
    start: (page: Tab, options: TabOptions = {}) =>
      page.evaluate(([url, options]) => tab.open(url, options), [listening.url, options] as const),

    /** Opens tabs of a profile. Default: of a new one. */
    async open(tabs: number, profile?: Tabs): Promise<[Tab, ...Tab[]]> {
      const { open } = profile ?? (await harness.profile())
      return Promise.all(Array.from({ length: tabs }, () => open())) as Promise<[Tab, ...Tab[]]>
    },

    /** Starts the sessions of tabs. The first tab signs ada in, the others restore her session from the store. */
    async signIn([first, ...others]: readonly Tab[], { lifetime, ...options }: SignedInOptions = {}) {
      const issued = { ...server.issue('ada'), subject: 'ada' }
      const tokens = lifetime === undefined ? issued : { ...issued, expires_in: lifetime / 1_000 }
      await suite.start(first!, { ...options, tokens })
      const expiresAt = Date.now() + (lifetime ?? Number.POSITIVE_INFINITY)
      firstToken = { accessToken: issued.access_token, expiresAt }
      await Promise.all(others.map((page) => suite.start(page, options)))
      // With a slow store, the others may start without a session. They are then notified of the sign-in.
      await everywhere([first!, ...others], () => tab.subject() === 'ada')
    },

    /** Opens tabs in which ada is signed in. */
    async signedIn(tabs: number, options?: SignedInOptions, profile?: Tabs) {
      const pages = await suite.open(tabs, profile)
      await suite.signIn(pages, options)
      return pages
    },

    /** Waits until the first token has expired, and revokes it on the server. */
    async untilExpired() {
      await past(firstToken.expiresAt)
      const body = new URLSearchParams({ token: firstToken.accessToken })
      await server.fetch('/revoke', { method: 'POST', body })
    },

    /** The requests to a path that the server received, without preflights. */
    requests: (path: string) =>
      server.log.filter((request) => request.path === path && request.method !== 'OPTIONS'),
  }
  return suite
}

/** Waits until the clock, which all tabs share, has passed this time. */
export const past = (instant: number) => vi.waitUntil(() => Date.now() > instant, { timeout: 15_000 })

/** Waits until a condition holds in all tabs. */
export const everywhere = (pages: readonly Tab[], condition: () => unknown) =>
  Promise.all(pages.map((page) => until(page, condition)))

export { until }
