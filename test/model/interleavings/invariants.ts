import { AuthError } from '../../../src/core/errors.ts'
import { OWN_API } from './asks.ts'
import { runs } from './clock.ts'
import type { Ask, Exchange, Settlement } from './facts.ts'
import { SECRET } from './server.ts'
import type { Surroundings } from './surroundings.ts'

/** What is wrong, for each thing that is. */
type Invariant = (around: Surroundings) => Iterable<string>

/** Whether nothing that the world did to lock, store or clock excuses that a page does not know what its sibling did. */
const orderly = ({ config, tabs, store, clockWasSetBack }: Surroundings) =>
  config.coordinator === 'lock' && !broken({ store, tabs }) && !clockWasSetBack

const broken = ({ store, tabs }: Pick<Surroundings, 'store' | 'tabs'>) =>
  store.failures > 0 || tabs.some(({ storageFailed }) => storageFailed)

/** Without the lock, siblings may both exchange: then the commit is guarded, and the server's grace is needed. */
function* oneExchangeAtATime({ facts, config }: Surroundings) {
  for (const exchange of facts.exchanges) {
    if (!exchange.lock && !exchange.excused) yield `${nameOf(exchange)} began without the lock`
    for (const other of exchange.beside) {
      if (mayOverlap(exchange, other)) continue
      yield `${nameOf(exchange)} began beside ${nameOf(other)}${config.coordinator === 'none' ? '' : ', in spite of the lock'}`
    }
  }
  for (const { page } of facts.needless) yield `${page.name} renewed because of a refusal of an older token`
}

function mayOverlap(exchange: Exchange, other: Exchange): boolean {
  const bothLocked = exchange.lock !== undefined && other.lock?.failed === false
  if (exchange.tab !== other.tab) return !bothLocked
  // The first try was answered late, and its second one is left to run out: nobody waits for it.
  return !bothLocked && exchange.token !== other.token
}

const nameOf = ({ tab, token }: Exchange) => `the exchange of ${shorten(token)} by ${tab.page.name}`
const shorten = (token: string) => token.replace(`${SECRET}-`, '')

/** A refresh token whose answer came is dead for whoever knows: the tab, and with a lock and a store its siblings. */
function* answeredTokensAreDone(around: Surroundings) {
  if (around.config.cookie) return
  for (const exchange of around.facts.exchanges) {
    const { tab, answeredTo } = exchange
    const here = answeredTo.includes(tab) && !broken(around)
    const there =
      orderly(around) && exchange.lock && answeredTo.some(({ page, disposed }) => !page.gone && !disposed)
    if (here || there) yield `${nameOf(exchange)} came after it was answered`
  }
}

const PASSES = new Set(['authenticated', 'refreshing', 'anonymous', 'loggedOut'])

function* nothingLeavesAtAClosedGate({ facts, headers }: Surroundings) {
  for (const { ask, authorization, refused, place, url } of facts.sendings) {
    if (url !== OWN_API) continue
    const who = `a request of ${ask.tab.page.name} left`
    if (!PASSES.has(place.state)) yield `${who} in ${place.state}`
    if (refused) yield `${who} with a token that was refused before`
    if (place.gateClosed) yield `${who} while the gate was closed`
    if (authorization === undefined) {
      if (place.session) yield `${who} without a token, though there is one`
      continue
    }
    if (!place.session) yield `${who} with a token, after the session`
    else {
      const key = `${ask.tab.page.name} ${place.session.generation}`
      if ((headers.get(key) ?? authorization) !== authorization) yield `${who} with an older token`
      headers.set(key, authorization)
    }
  }
}

/** A hold that is released and meets a closed gate again has a new deadline: so one for each time the gate opened. */
const outwaited = (ask: Ask, waited: number) => waited > ask.patience * (1 + ask.tab.openings - ask.openings)

function* whoWaitsSettles({ tabs, clock, config, facts }: Surroundings) {
  for (const tab of tabs) {
    if (tab.page.gone) continue
    for (const ask of tab.asks) {
      if (ask.settlements > 1) yield `${named(ask)} settled twice`
      if (ask.settlements > 0 || ask.inFlight) continue
      if (tab.disposed) yield `${named(ask)} is pending after the end`
      if (!runs(tab.page) || clock.overdue(tab.page)) continue
      if (outwaited(ask, clock.uptime - ask.waitingSince)) yield `${named(ask)} waits beyond its deadline`
      if (ask.controller?.signal.aborted) yield `${named(ask)} waits on after its abort`
    }
  }
  for (const settlement of facts.settlements) {
    if (settlement.failed && !explained(settlement, config.queueLimit))
      yield `${named(settlement.ask)} failed for no reason with ${String(settlement.error)}`
  }
}

const named = ({ name, tab }: Ask) => `${name} of ${tab.page.name}`

/** Whether there is something behind the error a caller was given. */
function explained({ ask, error, waited, beside }: Settlement, queueLimit: number): boolean {
  const { tab, controller } = ask
  if (error === 'aborted') return controller?.signal.aborted === true
  if (!(error instanceof AuthError)) {
    // What the user's own functions throw, and the network, comes through as it is.
    return ask.sends > 0 || ask.name === 'signIn'
  }
  switch (error.code) {
    case 'hold_timeout':
      return waited >= Math.min(ask.patience, 30_000)
    case 'queue_full':
      return beside >= queueLimit
    case 'refresh_unavailable':
    case 'refresh_timeout':
      return tab.told.has('refreshFailed')
    case 'session_expired':
      return tab.told.has('expired') || tab.told.has('refreshFailed')
    case 'sign_in_timeout':
      return waited >= 30_000
    case 'disposed':
      return tab.disposed
    case 'storage_failed':
      // I11 says so.
      return true
    default:
      return error.code === 'signed_out'
  }
}

/** A record belongs to the session that writes it, and never takes the place of a newer one, or of a sign-out. */
function* lateResultsAreDropped(around: Surroundings) {
  const { facts, clockWasSetBack, server } = around
  for (const { page, record, over, blind, trusts, place, afterSignOut } of facts.writes) {
    const who = `${page.name} wrote ${record.scope} (${record.rotation})`
    if (place.session?.subject !== record.subject) yield `${who} in a session of ${place.session?.subject}`
    if (blind) continue
    // A store that fails keeps what it was to forget.
    if (afterSignOut && trusts && !broken(around)) yield `${who} after its user had signed out`
    if (!over || record.rotation === 0) continue
    if (over.id === record.id && over.rotation > record.rotation) yield `${who} over ${over.rotation}`
    // Which of two sign-ins is the newer one, pages tell by the clock.
    if (over.id !== record.id && over.startedAt > record.startedAt && !clockWasSetBack)
      yield `${who} over ${over.scope}`
  }
  for (const { page, family } of facts.clearings) {
    // A write that failed takes away what is there, for it may be half a record.
    if (!broken(around) && !clockWasSetBack) yield `${page.name} took ${family.name} away, which is in use`
  }
  for (const { ask, authorization } of facts.sendings) {
    const user = server.familyOf(authorization)?.user
    if (user !== undefined && ask.owner !== undefined && user !== ask.owner)
      yield `a request of ${ask.owner} left as one of ${user}`
  }
  for (const { tab, family, alive } of facts.revocations) {
    if (!family) yield `${tab.page.name} revoked what is no token`
    else if (alive) yield `${tab.page.name} revoked ${family.name}, which is in use`
  }
}

function* onlyTheEndIsTheEnd({ facts }: Surroundings) {
  for (const { tab, event } of facts.groundless)
    yield `${tab.page.name}: ${event.type} for ${event.reason}, though nothing has ended it`
}

function* secretsStayInside({ facts, tabs }: Surroundings) {
  const told: unknown[] = [
    ...facts.events.map(({ event }) => event),
    facts.announcements.map(({ message }) => message),
  ]
  for (const { error, failed } of facts.settlements) if (failed) told.push(account(error))
  if (told.length === 0) return
  for (const tab of tabs) {
    if (!tab.disposed) told.push(tab.auth.session, tab.auth.actor.getSnapshot().context)
  }
  const text = JSON.stringify(told)
  const at = text.indexOf(SECRET)
  if (at >= 0) yield `a secret was told: …${text.slice(Math.max(0, at - 60), at + 30)}…`
}

/** All that a log would show of an error. */
function account(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > 4) return String(error)
  return [error.message, error.stack, { ...error }, account(error.cause, depth + 1)]
}

function* tokensGoToTheirOriginOnly({ facts }: Surroundings) {
  for (const { url, authorization } of facts.sendings) {
    if (authorization !== undefined && new URL(url).origin !== new URL(OWN_API).origin)
      yield `a token went to ${new URL(url).origin}`
    if (authorization?.includes('-rt-')) yield 'a refresh token went to the API'
  }
}

function* oneReplay({ facts }: Surroundings) {
  for (const { ask } of facts.sendings) {
    if (ask.sends > (ask.replayable ? 2 : 1)) yield `${named(ask)} was sent ${ask.sends} times`
  }
}

function* nothingIsLeftBehind({ tabs, clock, coordinator, store, listening }: Surroundings) {
  for (const { page, disposed } of tabs) {
    if (!disposed || page.gone) continue
    const timers = clock.pending(page)
    if (timers > 0) yield `${page.name} left ${timers} timers`
    if (listening(page) > 0) yield `${page.name} left listeners at its environment`
    if (coordinator.listens(page)) yield `${page.name} left a listener at its coordinator`
    if (store.listens(page)) yield `${page.name} left a listener at its store`
    if (coordinator.involves(page)) yield `${page.name} left a lock`
  }
}

function* storesFailNobody({ facts }: Surroundings) {
  for (const { ask, error } of facts.settlements) {
    if (error instanceof AuthError && error.code === 'storage_failed') yield `a store failed ${named(ask)}`
  }
}

/** What a page says of itself is one story. */
function* chartAndVaultAgree({ tabs, facts }: Surroundings) {
  yield* facts.odd
  for (const tab of tabs) {
    if (tab.disposed || !runs(tab.page)) continue
    const { context } = tab.auth.actor.getSnapshot()
    const { session, state } = tab.auth
    const who = `${tab.page.name} in ${state}`
    const empty = ['anonymous', 'loggedOut', 'signingOut', 'expired'].includes(state)
    if (session ? empty : state === 'authenticated') yield `${who} has ${session ? 'a' : 'no'} session`
    if (session && (session.epoch !== context.epoch || session.generation !== context.generation))
      yield `${who} thinks it has ${context.epoch}.${context.generation}, and has ${session.epoch}.${session.generation}`
    if (context.held < 0) yield `${who} holds ${context.held} requests`
  }
}

/** What must hold whenever everything has come to rest. */
export const INVARIANTS: Readonly<Record<string, Invariant>> = {
  I1: oneExchangeAtATime,
  I2: answeredTokensAreDone,
  I3: nothingLeavesAtAClosedGate,
  I4: whoWaitsSettles,
  I5: lateResultsAreDropped,
  I6: onlyTheEndIsTheEnd,
  I7: secretsStayInside,
  I8: tokensGoToTheirOriginOnly,
  I9: oneReplay,
  I10: nothingIsLeftBehind,
  I11: storesFailNobody,
  consistent: chartAndVaultAgree,
}

export function violations(around: Surroundings): string[] {
  const found: string[] = []
  for (const [name, invariant] of Object.entries(INVARIANTS)) {
    for (const violation of invariant(around)) found.push(`${name}: ${violation}`)
  }
  return found
}
