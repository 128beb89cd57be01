import { runs } from '../clock.ts'
import type { Surroundings } from '../surroundings.ts'
import type { Tab } from '../tab.ts'
import { broken } from './order.ts'

/** A record belongs to the session that writes it, and never overwrites a newer record or a sign-out. */
export function* lateResultsAreDropped(around: Surroundings) {
  const { facts, clockWasSetBack, server } = around
  for (const { page, record, overwritten, blind, trusts, view, afterSignOut } of facts.writes) {
    const subject = `${page.name} wrote ${record.scope} (${record.rotation})`
    if (view.session?.subject !== record.subject) yield `${subject} in a session of ${view.session?.subject}`
    if (blind) continue
    // A store that fails may keep a record that it was asked to clear.
    if (afterSignOut && trusts && !broken(around)) yield `${subject} after its user had signed out`
    if (!overwritten || record.rotation === 0) continue
    if (overwritten.id === record.id && overwritten.rotation > record.rotation)
      yield `${subject} over ${overwritten.rotation}`
    // Pages compare two sign-ins by the clock.
    if (overwritten.id !== record.id && overwritten.startedAt > record.startedAt && !clockWasSetBack)
      yield `${subject} over ${overwritten.scope}`
  }
  for (const { page, family } of facts.clearings) {
    // A failed write clears the store, because it may have left half a record.
    if (!broken(around) && !clockWasSetBack) yield `${page.name} cleared ${family.name}, which is in use`
  }
  for (const { call, authorization } of facts.sendings) {
    const user = server.familyOf(authorization)?.user
    if (user !== undefined && call.owner !== undefined && user !== call.owner)
      yield `a request of ${call.owner} left as one of ${user}`
  }
  for (const { call, failed } of facts.settlements) {
    if (failed || call.name !== 'getAccessToken') continue
    const user = server.familyOf(String(call.gave))?.user
    if (user !== undefined && call.owner !== undefined && user !== call.owner)
      yield `a call of ${call.owner} received a token of ${user}`
  }
  for (const { tab, family, alive } of facts.revocations) {
    if (!family) yield `${tab.page.name} revoked a value that is not a token`
    else if (alive) yield `${tab.page.name} revoked ${family.name}, which is in use`
  }
}

export function* sessionsEndForACause({ facts }: Surroundings) {
  for (const { tab, event } of facts.unexplained)
    yield `${tab.page.name}: ${event.type} for ${event.reason}, without a cause`
}

/** A session has ended once `signOut()` resolves, even one that is still being stored. */
export function* signOutsEndSessions({ facts }: Surroundings) {
  for (const { call } of facts.settlements) {
    const { session } = call.tab.view()
    if (call.name === 'signOut' && session && session.epoch === call.epoch)
      yield `${call.tab.page.name} is still signed in after signOut()`
  }
}

const signedOutGenerations = ({ calls }: Tab) =>
  calls.filter(({ name }) => name === 'signOut').map(({ generation }) => generation)

/** The chart and the vault of a page agree about its session. */
export function* chartAndVaultAgree({ tabs, facts }: Surroundings) {
  yield* facts.reported
  for (const tab of tabs) {
    if (tab.disposed || !runs(tab.page)) continue
    const { context } = tab.auth.actor.getSnapshot()
    const { session, state } = tab.auth
    const subject = `${tab.page.name} in ${state}`
    // A new session is in the vault while it is being stored, or while tokens of the app are. Then it reaches the chart.
    // The chart may not know the generation before if the user signed out while it was being restored.
    const isStoring = [context.generation, ...signedOutGenerations(tab)].includes(session?.generation)
    // If a listener began it in the step of a sign-out, the chart counts its epoch as that of the end.
    const isAhead = session && session.epoch - context.epoch >= (state === 'signingOut' ? 0 : 1)
    if (isAhead && isStoring) continue
    const empty = ['anonymous', 'loggedOut', 'signingOut', 'expired'].includes(state)
    if (session ? empty : state === 'authenticated') yield `${subject} has ${session ? 'a' : 'no'} session`
    if (session && (session.epoch !== context.epoch || session.generation !== context.generation))
      yield `${subject} has ${context.epoch}.${context.generation} in its chart and ${session.epoch}.${session.generation} in its vault`
    if (context.held < 0) yield `${subject} holds ${context.held} requests`
  }
}
