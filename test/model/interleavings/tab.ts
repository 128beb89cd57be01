import type { AuthEmitted } from '../../../machines/index.ts'
import type { Auth } from '../../../src/core/auth.ts'
import { createAuthWith } from '../../../src/core/create-auth.ts'
import type { AuthOptions } from '../../../src/core/options.ts'
import type { Page } from './clock.ts'
import { HOLD } from './config.ts'
import type { Ask, Place } from './facts.ts'
import { hasGround } from './grounds.ts'
import { brokenConnection, type Family } from './server.ts'
import type { Stamp, Surroundings } from './surroundings.ts'
import { createRefresh } from './token-endpoint.ts'

/** One page with a session in it, and what is known of it from outside. */
export interface Tab {
  readonly page: Page
  readonly auth: Auth<Credentials>
  readonly asks: Ask[]
  disposed: boolean
  /** For how long it was frozen, in all, in milliseconds. */
  stoodStill: number
  /** How often its gate opened. */
  openings: number
  /** How often it was told that a refresh token is dead, since its session began. */
  fatal: number
  /** How often no answer came, or none that can be read. */
  losses: number
  /** It was told that the session ended elsewhere. */
  heardEnded: boolean
  /** It was signed out while it knew of no session: whatever is in the store by then is meant. */
  leftWithout: boolean
  /** What the world had seen when its session began. */
  since: Stamp
  /** Generations that an API refused, and endpoints that refused a fresh one. */
  readonly refused: Set<number>
  readonly doubted: Set<string>
  /** What it emitted, by name. */
  readonly told: Set<string>
  storageFailed: boolean
  place(): Place
  family(): Family | undefined
  /** The family of its session, or of the last one it had. */
  lastFamily(): Family | undefined
  dispose(): void
}

export interface Credentials {
  readonly user: string
  readonly good: boolean
  readonly password: string
}

const OPENS = new Set([
  'authenticated.renewable',
  'authenticated.terminal',
  'refreshing.gate.open',
  'anonymous',
  'loggedOut',
])

export function createTab(around: Surroundings, name: string, initial: boolean): Tab {
  const { config, clock, edges, server, store, coordinator, stamp } = around
  const page: Page = { name, frozen: false, gone: false }
  const tab: Tab = {
    page,
    asks: [],
    disposed: false,
    stoodStill: 0,
    openings: 0,
    fatal: 0,
    losses: 0,
    heardEnded: false,
    leftWithout: false,
    since: stamp(),
    refused: new Set(),
    doubted: new Set(),
    told: new Set(),
    storageFailed: false,
    place: () => placeOf(auth),
    family: () => server.familyNamed(auth.session?.scope),
    lastFamily() {
      family = tab.family() ?? family
      return family
    },
    get auth() {
      return auth
    },
    dispose() {
      tab.disposed = true
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
          return server.show(around.begin(user))
        },
        () => {
          throw brokenConnection()
        },
      ),
    revoke({ accessToken, refreshToken }) {
      const token = accessToken || (refreshToken ?? server.jar ?? '')
      // It is up to the server whether there is a cookie.
      if (token === '' && config.cookie) return undefined
      const family = server.familyOf(token)
      // Restored and ended in one step, it never was this tab's as far as events tell.
      const { reason = '' } = auth.actor.getSnapshot().context
      if (family && (tab.leftWithout || /^(idle|lifetime)$/.test(reason))) around.over.add(family.name)
      const alive =
        family !== undefined &&
        !around.over.has(family.name) &&
        around.living().some((other) => other.family() === family)
      around.facts.revocations.push({ tab, family, alive })
      const act = () => server.revoke(token)
      return edges.travel(`the revocation by ${name} reaches the server`, undefined, act, () => {
        throw brokenConnection()
      })
    },
    renew: config.renew,
    whenExpired: config.whenExpired,
    ambiguousRefresh: config.ambiguousRefresh,
    queueLimit: config.queueLimit,
    silentSignIn: config.cookie,
    persist: config.persist,
    limits: { idle: config.idle, absolute: config.absolute },
    release: { concurrency: config.concurrency },
    timeouts: { hold: HOLD, lock: config.lockTimeout },
    historyLimit: 40,
    ...(config.store !== 'none' && { storage: store.storageOf(page) }),
    ...(config.coordinator !== 'none' && { coordinator: coordinator.coordinatorOf(page) }),
    ...(initial && { initialTokens: server.show(around.begin('ada')) }),
  }

  let family: Family | undefined

  function hear(event: AuthEmitted) {
    around.facts.events.push({ tab, event })
    if (!hasGround(around, tab, event)) around.facts.groundless.push({ tab, event })
    tab.told.add(event.type)
    if (event.type === 'storageFailed') tab.storageFailed = true
    const last = tab.lastFamily()
    // Ended here, it is over everywhere, whether or not the others have heard of it.
    if (last && (event.type === 'expired' || event.type === 'signedOut')) around.over.add(last.name)
    if (event.type === 'signedIn') {
      tab.fatal = 0
      tab.heardEnded = false
      // What it found in the store may be gone a moment later, before it says that it has a session.
      tab.since = around.foundAt(page, last?.name) ?? stamp()
    }
    if (event.type !== 'transition') return
    if (OPENS.has(event.to)) tab.openings++
    const { refused } = around
    if (event.to === 'refreshing' && refused?.tab === tab && refused.generation < refused.current) {
      const { renewAt, expiresAt, generation } = auth.actor.getSnapshot().context
      const due = [renewAt, expiresAt].some((at) => at !== undefined && clock.now() >= at)
      if (!due && generation === refused.current) around.facts.needless.push(tab)
    }
  }

  const auth: Auth<Credentials> = createAuthWith<Credentials, Readonly<Record<string, unknown>>>(options, {
    clock: clock.clockOf(page),
    environment: {
      online: () => around.online,
      subscribe: (kind, listener) => around.listen(page, kind, listener),
    },
    report: (error) => around.facts.odd.push(`${name} reported ${String(error)}`),
  })
  tab.lastFamily()
  auth.on('*', hear)
  return tab
}

function placeOf(auth: Auth<Credentials>): Place {
  const { value } = auth.actor.getSnapshot()
  const gateClosed = typeof value === 'object' && 'refreshing' in value && value.refreshing.gate === 'closed'
  return { state: auth.state, gateClosed, session: auth.session }
}
