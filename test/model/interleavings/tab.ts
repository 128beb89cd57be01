import type { AuthEmitted } from '../../../machines/index.ts'
import type { Auth } from '../../../src/core/auth.ts'
import { createAuthWith } from '../../../src/core/create-auth.ts'
import { sessionLimits } from '../../../src/core/features/session-limits.ts'
import { defineCoordinator, defineStorage, fromCookie } from '../../../src/core/features/share.ts'
import type { AuthOptions } from '../../../src/core/options.ts'
import type { TokenResponse } from '../../../src/core/ports.ts'
import { hasCause } from './causes.ts'
import type { Page } from './clock.ts'
import { HOLD } from './config.ts'
import type { Call, RefreshCall, View } from './facts.ts'
import { brokenConnection, type Family } from './server.ts'
import type { Stamp, Surroundings } from './surroundings.ts'
import { createRefresh } from './token-endpoint.ts'

/** One page with a session, and what is known about it from outside. */
export interface Tab {
  readonly page: Page
  readonly auth: Auth<Credentials>
  readonly calls: Call[]
  disposed: boolean
  /** For how long it was frozen in total, in milliseconds. */
  frozenFor: number
  /** How often its gate has opened. */
  openings: number
  /** How often the server rejected a refresh token since its session began. */
  fatal: number
  /** How often an answer was missing or unreadable. */
  losses: number
  /** The reasons in the messages that it received about the end of its session. */
  readonly received: Set<string>
  /** Its session has expired, and no other has begun. */
  hasExpired: boolean
  /** It was signed out while it had no session, so the sign-out is for any session in the store. */
  signedOutWithoutSession: boolean
  /** The stamp of the moment when its session began. */
  since: Stamp
  /** When it certainly used each session last, by the name of the family. */
  readonly uses: Map<string, number>
  /** When a call was last made, sent or answered: it may have been a use. */
  touchedAt: number
  /** When it was thawed last: its timers are late then. */
  thawedAt: number
  /** The uptime at which it last gave up a refresh, whose answer may still come. */
  gaveUpAt: number
  /** The refreshes that it has given up, and whose answers may still come. */
  readonly unanswered: Set<RefreshCall>
  /** The uptime at which it was disposed. */
  disposedAt: number
  /** How often an API has answered 401 in this session. */
  refusals: number
  /** The refreshes that a 401 caused: when, and whether the token needed none. */
  caused: { readonly at: number; isNeedless: boolean }[]
  /** The newest refresh token that it has received of each family, and the uptime of that. */
  readonly newest: Map<string, { readonly refreshToken: string; readonly at: number }>
  /** Generations that an API rejected, and endpoints that rejected a fresh token. */
  readonly refused: Set<number>
  readonly doubted: Set<string>
  /** The types of the events that it has emitted. */
  readonly emitted: Set<string>
  storageFailed: boolean
  view(): View
  family(): Family | undefined
  /** The family of its session, or of its last session. */
  lastFamily(): Family | undefined
  /** The server's tokens arrive. Returns what the page can see of them. */
  receive(tokens: TokenResponse): TokenResponse
  dispose(): void
}

export interface Credentials {
  readonly user: string
  readonly good: boolean
  readonly password: string
}

/** States whose entry closes the gate, and those whose entry opens it. */
const CLOSES = new Set(['refreshing.gate.closed', 'restoring', 'authenticating', 'expired', 'signingOut'])
const OPENS = new Set([
  'authenticated.refreshable',
  'authenticated.lastToken',
  'refreshing.gate.open',
  'anonymous',
  'loggedOut',
])

/** How long a store may take to write what is announced, in milliseconds. */
const STORAGE_TIMEOUT = 2_000

export function createTab(around: Surroundings, name: string, initial: boolean): Tab {
  const { config, clock, edges, server, store, coordinator, stamp } = around
  const page: Page = { name, frozen: false, closed: false }
  const tab: Tab = {
    page,
    calls: [],
    disposed: false,
    frozenFor: 0,
    openings: 0,
    fatal: 0,
    losses: 0,
    received: new Set(),
    hasExpired: false,
    signedOutWithoutSession: false,
    since: stamp(),
    uses: new Map(),
    gaveUpAt: Number.NEGATIVE_INFINITY,
    unanswered: new Set(),
    disposedAt: Number.POSITIVE_INFINITY,
    refusals: 0,
    caused: [],
    newest: new Map(),
    touchedAt: clock.now(),
    thawedAt: clock.now(),
    refused: new Set(),
    doubted: new Set(),
    emitted: new Set(),
    storageFailed: false,
    view: () => viewOf(auth),
    family: () => server.familyNamed(auth.session?.scope),
    lastFamily() {
      family = tab.family() ?? family
      return family
    },
    receive(tokens) {
      const { scope, refresh_token: refreshToken } = tokens
      if (!scope || !refreshToken) return server.show(tokens)
      const known = tab.newest.get(scope)?.refreshToken
      if (!known || server.orderOf(known) < server.orderOf(refreshToken))
        tab.newest.set(scope, { refreshToken, at: clock.uptime })
      return server.show(tokens)
    },
    get auth() {
      return auth
    },
    dispose() {
      tab.disposed = true
      tab.disposedAt = clock.uptime
      auth.dispose()
    },
  }

  const options: AuthOptions<Credentials> = {
    refresh: createRefresh(around, tab),
    signIn: ({ user, good }) =>
      edges.travel(
        `the answer to the sign-in of ${name}`,
        page,
        () => {
          if (!good) throw new Error('wrong password')
          return tab.receive(around.begin(user))
        },
        () => {
          throw brokenConnection()
        },
      ),
    revoke({ accessToken, refreshToken }) {
      const token = accessToken || (refreshToken ?? server.jar ?? '')
      // Only the server knows whether there is a cookie.
      if (token === '' && config.cookie) return undefined
      const family = server.familyOf(token)
      // No event shows that this tab had the session if it was restored and ended in one step.
      const { reason = '' } = auth.actor.getSnapshot().context
      if (family && (tab.signedOutWithoutSession || /^(idle|lifetime)$/.test(reason)))
        around.ended.add(family.name)
      const alive =
        family !== undefined &&
        !around.ended.has(family.name) &&
        around.living().some((other) => other.family() === family)
      around.facts.revocations.push({ tab, family, alive })
      const act = () => server.revoke(token)
      return edges.travel(`the revocation by ${name} reaches the server`, undefined, act, () => {
        throw brokenConnection()
      })
    },
    refreshOn: config.refreshOn,
    whenExpired: config.whenExpired,
    ambiguousRefresh: config.ambiguousRefresh,
    queueLimit: config.queueLimit,
    persist: config.persist,
    ...(Math.min(config.idle, config.absolute) < Number.POSITIVE_INFINITY && {
      limits: sessionLimits({ idle: config.idle, absolute: config.absolute }),
    }),
    release: { concurrency: config.concurrency },
    timeouts: { hold: HOLD, lock: config.lockTimeout },
    historyLimit: 40,
    ...(config.cookie && { silentSignIn: fromCookie() }),
    ...(config.store !== 'none' && { storage: defineStorage(store.storageOf(page)) }),
    ...(config.coordinator !== 'none' && { coordinator: defineCoordinator(coordinator.coordinatorOf(page)) }),
    ...(initial && { initialTokens: tab.receive(around.begin('ada')) }),
  }

  let family: Family | undefined
  let isOpen = initial

  function observe(event: AuthEmitted) {
    around.facts.events.push({ tab, event })
    noteLimit(event)
    noteAnnouncement(event)
    if (!hasCause(around, tab, event)) around.facts.unexplained.push({ tab, event })
    tab.emitted.add(event.type)
    if (event.type === 'expired') tab.hasExpired = true
    if (event.type === 'storageFailed') tab.storageFailed = true
    const last = tab.lastFamily()
    if (last && (event.type === 'expired' || event.type === 'signedOut')) {
      // A session that ended here has ended in every tab, even before the others are notified.
      around.ended.add(last.name)
      // If the store brings it back, the tab knows only what the store knows of its use.
      tab.uses.delete(last.name)
    }
    // What a failed refresh would have helped is unknown, and another user may have other rights.
    const lastCaused = tab.caused.at(-1)
    if (event.type === 'refreshFailed' && lastCaused) lastCaused.isNeedless = false
    // Requests also wait for tokens that are being stored: those open the gate without a transition.
    if (isOpen && (event.type === 'signedIn' || event.type === 'refreshed')) tab.openings++
    if (event.type === 'signedIn') {
      tab.caused = []
      tab.refusals = 0
      tab.touchedAt = clock.now()
      tab.fatal = 0
      // A tab remembers an expiry, because it may read the record of that session only later.
      tab.received.delete('signed_out')
      tab.hasExpired = false
      // The record may be cleared after the page has read it and before it emits `signedIn`.
      tab.since = around.foundAt(page, last?.name) ?? stamp()
    }
    if (event.type !== 'transition') return
    // A session that is restored counts as used then, unless its store knows when it was used last.
    const knowsLastUse = config.sharesLastUse && !config.slowStore && config.store === 'sound'
    if (event.from === 'restoring' && auth.session && !knowsLastUse) tab.touchedAt = clock.now()
    if (OPENS.has(event.to)) tab.openings++
    isOpen = OPENS.has(event.to) || (isOpen && !CLOSES.has(event.to))
    const { refused } = around
    if (event.to === 'refreshing' && refused?.tab === tab && refused.generation < refused.current) {
      const { refreshAt, expiresAt, generation } = auth.actor.getSnapshot().context
      const due = [refreshAt, expiresAt].some((at) => at !== undefined && clock.now() >= at)
      // The 401 may have released a call that asks for a token which is valid for longer.
      const left = (expiresAt ?? Number.POSITIVE_INFINITY) - clock.now()
      const isAsked = tab.calls.some(
        ({ settlements, minValidity }) =>
          settlements === 0 && left < Math.min(minValidity, config.lifetime / 2),
      )
      if (!due && !isAsked && generation === refused.current) around.facts.needless.push(tab)
    }
    if (event.to === 'refreshing.gate.closed' && refused?.tab === tab)
      tab.caused.push({ at: clock.uptime, isNeedless: refused.works })
  }

  /** A limit must not end a session early. Another tab's use counts once it is in the store, after at most 5 seconds. */
  function noteLimit({ type, reason, at, epoch }: AuthEmitted) {
    if (type !== 'expired' || clock.jumps > 0 || tab.received.has(String(reason))) return
    // A listener that received the event first has begun another session already.
    if (auth.session && auth.session.epoch !== epoch) return
    const last = tab.lastFamily()
    if (!last) return
    const early = (what: string) => around.facts.early.push(`${name} ended ${last.name} ${what}`)
    if (reason === 'lifetime' && !config.cookie && at - last.startedAt < config.absolute)
      early(`${at - last.startedAt} ms after its sign-in`)
    if (reason !== 'idle') return
    // The end of a session in another tab clears its last use.
    const shared =
      !around.ended.has(last.name) &&
      config.sharesLastUse &&
      config.store === 'sound' &&
      !config.slowStore &&
      !around.wiped
    for (const user of around.tabs) {
      const unused = at - (user.uses.get(last.name) ?? Number.NEGATIVE_INFINITY)
      const isKnown = user === tab || (shared && unused > 5_000 && user.frozenFor === 0 && !user.page.closed)
      if (unused < config.idle && isKnown) early(`${unused} ms after ${user.page.name} used it`)
    }
  }

  /** What is announced must survive a reload at this instant: the store has the newest refresh token. */
  function noteAnnouncement({ type, epoch }: AuthEmitted) {
    if (type !== 'signedIn' && type !== 'refreshed') return
    // A listener that received the event first has begun another session already.
    if (config.store !== 'sound' || config.cookie || auth.session?.epoch !== epoch) return
    const current = tab.family()
    const newest = current && tab.newest.get(current.name)
    // Another session has taken its place in the store, or the user has emptied it.
    if (!newest || around.ended.has(current.name) || tab.storageFailed || around.clockWasSetBack) return
    // A store that is too slow does not keep the user waiting.
    if (clock.uptime - newest.at >= STORAGE_TIMEOUT) return
    const { record } = store
    const kept = record?.scope === current.name ? record.refreshToken : undefined
    if (!kept || server.orderOf(kept) < server.orderOf(newest.refreshToken))
      around.facts.premature.push(`${name} emitted ${type} of ${current.name} before it was stored`)
  }

  const auth: Auth<Credentials> = createAuthWith<Credentials, Readonly<Record<string, unknown>>>(options, {
    clock: clock.clockOf(page),
    environment: {
      online: () => around.online,
      subscribe: (kind, listener) => around.listen(page, kind, listener),
    },
    report: (error) => around.facts.reported.push(`${name} reported ${String(error)}`),
  })
  tab.lastFamily()
  auth.on('*', observe)
  return tab
}

function viewOf(auth: Auth<Credentials>): View {
  const { value } = auth.actor.getSnapshot()
  const gateClosed = typeof value === 'object' && 'refreshing' in value && value.refreshing.gate === 'closed'
  return { state: auth.state, gateClosed, session: auth.session }
}
