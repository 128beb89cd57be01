import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import type { TabOptions } from './tab-session.ts'
import { createTabsRig, type Tabs, type TabsRig, type TabsRigOptions } from './tabs-rig.ts'

export interface SignedInOptions extends TabOptions {
  /** How long the first access token lives, in milliseconds. Default: as long as the server has it. */
  readonly lifetime?: number
}

/** Sets a suite up with a browser for all of its tests, and a token server for each. */
export function tabsSuite(options: TabsRigOptions = {}) {
  let rig: TabsRig
  let server: TokenServer
  let listening: ListeningTokenServer
  /** The token that ada signed in with. */
  let firstToken: { readonly accessToken: string; readonly expiresAt: number }

  beforeAll(async () => {
    rig = await createTabsRig(options)
  }, 60_000)

  afterAll(() => rig?.close())

  afterEach(async () => {
    await rig.closeTabs()
    await listening?.close()
    expect(rig.problems.splice(0), 'what pages threw').toEqual([])
  })

  const suite = {
    async serve(options: TokenServerOptions = {}): Promise<TokenServer> {
      server = createTokenServer(options)
      listening = await server.listen()
      return server
    },

    /** Where the token server is. */
    url: () => listening.url,

    profile: (prepare?: () => void): Promise<Tabs> => rig.profile(prepare),

    /** Starts the session of a tab; gives the state it comes to. */
    start: (page: Page, options: TabOptions = {}) =>
      page.evaluate(([url, options]) => tab.open(url, options), [listening.url, options] as const),

    /** Opens so many tabs of a profile, which is a new one unless it is given. */
    async open(tabs: number, profile?: Tabs): Promise<[Page, ...Page[]]> {
      const { open } = profile ?? (await rig.profile())
      return Promise.all(Array.from({ length: tabs }, () => open())) as Promise<[Page, ...Page[]]>
    },

    /** Starts the sessions of tabs. The first one signs ada in, the others find her session in the store. */
    async signIn([first, ...others]: readonly Page[], { lifetime, ...options }: SignedInOptions = {}) {
      const issued = { ...server.issue('ada'), subject: 'ada' }
      const tokens = lifetime === undefined ? issued : { ...issued, expires_in: lifetime / 1_000 }
      await suite.start(first!, { ...options, tokens })
      const expiresAt = Date.now() + (lifetime ?? Number.POSITIVE_INFINITY)
      firstToken = { accessToken: issued.access_token, expiresAt }
      await Promise.all(others.map((page) => suite.start(page, options)))
      // A store that takes its time may have been empty still, and then they hear of the sign-in.
      await everywhere([first!, ...others], () => tab.subject() === 'ada')
    },

    /** Opens so many tabs in which ada is signed in. */
    async signedIn(tabs: number, options?: SignedInOptions, profile?: Tabs) {
      const pages = await suite.open(tabs, profile)
      await suite.signIn(pages, options)
      return pages
    },

    /** Waits until the first token is dead by the clock, and makes the server refuse it, too. */
    async untilDead() {
      await past(firstToken.expiresAt)
      const body = new URLSearchParams({ token: firstToken.accessToken })
      await server.fetch('/revoke', { method: 'POST', body })
    },

    /** What the server saw of a path, preflights left out. */
    requests: (path: string) =>
      server.log.filter((request) => request.path === path && request.method !== 'OPTIONS'),
  }
  return suite
}

/**
 * Waits until something holds in a tab. It is looked at from here: a tab that is hidden lets its own timers run once a second,
 * and one that is frozen not at all.
 */
export async function until<A>(page: Page, become: (argument: A) => unknown, argument: A): Promise<void>
export async function until(page: Page, become: () => unknown): Promise<void>
export async function until<A>(page: Page, become: (argument: A | undefined) => unknown, argument?: A) {
  const look = () => page.evaluate<boolean, A | undefined>(become as () => boolean, argument)
  await vi.waitUntil(look, { interval: 20, timeout: 15_000 })
}

/** Waits until it is later than that, by the clock that all tabs have. */
export const past = (instant: number) => vi.waitUntil(() => Date.now() > instant, { timeout: 15_000 })

/** Waits until something holds in all of the tabs. */
export const everywhere = (pages: readonly Page[], become: () => unknown) =>
  Promise.all(pages.map((page) => until(page, become)))
