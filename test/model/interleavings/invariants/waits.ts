import { AuthError } from '../../../../src/core/errors.ts'
import { LONG } from '../calls.ts'
import { runs } from '../clock.ts'
import type { Call, Settlement } from '../facts.ts'
import type { Surroundings } from '../surroundings.ts'

/** How often a call may have been held: a request that is released is held again if the gate closes at once. */
const mostHolds = (call: Call) => 1 + call.tab.openings - call.openings

/** Only requests show when they are held again, which gives them a new deadline. */
const outwaited = (call: Call, waited: number) =>
  waited > call.patience * (call.patience === LONG ? mostHolds(call) : 1)

export function* callsSettle({ tabs, clock, config, facts }: Surroundings) {
  for (const tab of tabs) {
    if (tab.page.closed) continue
    for (const call of tab.calls) {
      if (call.settlements > 1) yield `${named(call)} settled twice`
      if (call.settlements > 0 || call.inFlight) continue
      if (tab.disposed) yield `${named(call)} is pending after dispose()`
      if (!runs(tab.page) || clock.overdue(tab.page)) continue
      // A call without a deadline of its own is not late because of the time in which its tab was frozen.
      const still = call.patience === LONG ? tab.frozenFor - call.frozenFor : 0
      if (outwaited(call, clock.uptime - call.waitingSince - clock.setBack - still))
        yield `${named(call)} waits beyond its deadline`
      if (call.holds > mostHolds(call)) yield `${named(call)} is held again while the gate is closed`
      if (call.controller?.signal.aborted) yield `${named(call)} is pending after its abort`
    }
  }
  for (const settlement of facts.settlements) {
    if (settlement.failed && !explained(settlement, config.queueLimit))
      yield `${named(settlement.call)} failed without a cause with ${String(settlement.error)}`
  }
}

export const named = ({ name, tab }: Call) => `${name} of ${tab.page.name}`

/** Whether the world contains a cause for the error that a caller received. */
function explained({ call, error, waited, beside }: Settlement, queueLimit: number): boolean {
  const { tab, controller } = call
  if (error === 'aborted') return controller?.signal.aborted === true
  if (!(error instanceof AuthError)) {
    // Errors of the user's functions and of the network are passed on unchanged.
    return call.sends > 0 || call.name === 'signIn'
  }
  switch (error.code) {
    case 'hold_timeout':
      return waited >= Math.min(call.patience, 30_000)
    case 'queue_full':
      return beside >= queueLimit
    case 'refresh_unavailable':
    case 'refresh_timeout':
      return tab.emitted.has('refreshFailed')
    case 'session_expired':
      // An expiry in another tab during a sign-in emits no event here.
      return (
        tab.emitted.has('expired') ||
        tab.emitted.has('refreshFailed') ||
        tab.received.has(String(error.reason))
      )
    case 'sign_in_timeout':
      return waited >= 30_000
    case 'disposed':
      return tab.disposed
    case 'storage_failed':
      // I11 reports this.
      return true
    default:
      return error.code === 'signed_out' && (error.reason === 'superseded' || !isServed(call))
  }
}

/** Whether the user of the call is still signed in: in the same session, or in the one that replaced it. */
function isServed({ owner, epoch = Number.NaN, tab }: Call): boolean {
  const { session } = tab.view()
  return owner !== undefined && session?.subject === owner && session.epoch <= epoch + 1
}

export function* storesFailNoCall({ facts }: Surroundings) {
  for (const { call, error } of facts.settlements) {
    if (error instanceof AuthError && error.code === 'storage_failed') yield `a store failed ${named(call)}`
  }
}
