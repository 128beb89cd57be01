import { AuthError } from '../../../../src/core/errors.ts'
import { LONG } from '../asks.ts'
import { runs } from '../clock.ts'
import type { Ask, Settlement } from '../facts.ts'
import type { Surroundings } from '../surroundings.ts'

/** A hold that is released and meets a closed gate again has a new deadline: so one for each time the gate opened. */
const outwaited = (ask: Ask, waited: number) => waited > ask.patience * (1 + ask.tab.openings - ask.openings)

export function* whoWaitsSettles({ tabs, clock, config, facts }: Surroundings) {
  for (const tab of tabs) {
    if (tab.page.gone) continue
    for (const ask of tab.asks) {
      if (ask.settlements > 1) yield `${named(ask)} settled twice`
      if (ask.settlements > 0 || ask.inFlight) continue
      if (tab.disposed) yield `${named(ask)} is pending after the end`
      if (!runs(tab.page) || clock.overdue(tab.page)) continue
      // What has no deadline of its own is not late for the time in which none of its code could run.
      const still = ask.patience === LONG ? tab.stoodStill - ask.stoodStill : 0
      if (outwaited(ask, clock.uptime - ask.waitingSince - clock.setBack - still))
        yield `${named(ask)} waits beyond its deadline`
      if (ask.controller?.signal.aborted) yield `${named(ask)} waits on after its abort`
    }
  }
  for (const settlement of facts.settlements) {
    if (settlement.failed && !explained(settlement, config.queueLimit))
      yield `${named(settlement.ask)} failed for no reason with ${String(settlement.error)}`
  }
}

export const named = ({ name, tab }: Ask) => `${name} of ${tab.page.name}`

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
      return error.code === 'signed_out' && (error.reason === 'superseded' || !isServed(ask))
  }
}

/** Whether who asked is who is there: the same user, in the same session, or in the one that took its place. */
function isServed({ owner, epoch = Number.NaN, tab }: Ask): boolean {
  const { session } = tab.place()
  return owner !== undefined && session?.subject === owner && session.epoch <= epoch + 1
}

export function* storesFailNobody({ facts }: Surroundings) {
  for (const { ask, error } of facts.settlements) {
    if (error instanceof AuthError && error.code === 'storage_failed') yield `a store failed ${named(ask)}`
  }
}
