import { runs } from '../clock.ts'
import type { Surroundings } from '../surroundings.ts'
import { broken } from './order.ts'

/** A record belongs to the session that writes it, and never takes the place of a newer one, or of a sign-out. */
export function* lateResultsAreDropped(around: Surroundings) {
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

export function* onlyTheEndIsTheEnd({ facts }: Surroundings) {
  for (const { tab, event } of facts.groundless)
    yield `${tab.page.name}: ${event.type} for ${event.reason}, though nothing has ended it`
}

/** What a page says of itself is one story. */
export function* chartAndVaultAgree({ tabs, facts }: Surroundings) {
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
