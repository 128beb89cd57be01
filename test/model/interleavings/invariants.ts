import { limitsHold } from './invariants/limits.ts'
import { answeredTokensAreNotReused, oneRefreshAtATime, refusalsCostLittle } from './invariants/refreshes.ts'
import { announcedIsStored, lateTimersDecideNothing } from './invariants/rotation.ts'
import { closedGatesSendNothing, oneReplay, tokensGoToTheirOriginOnly } from './invariants/sendings.ts'
import {
  chartAndVaultAgree,
  lateResultsAreDropped,
  sessionsEndForACause,
  signOutsEndSessions,
} from './invariants/sessions.ts'
import { nothingIsLeftBehind, secretsStayInside } from './invariants/traces.ts'
import { callsSettle, storesFailNoCall } from './invariants/waits.ts'
import type { Surroundings } from './surroundings.ts'

/** Yields one message for each violation. */
type Invariant = (around: Surroundings) => Iterable<string>

/** What must hold whenever no promise job is left. */
const INVARIANTS: Readonly<Record<string, Invariant>> = {
  I1: oneRefreshAtATime,
  I2: answeredTokensAreNotReused,
  I3: closedGatesSendNothing,
  I4: callsSettle,
  I5: lateResultsAreDropped,
  I6: sessionsEndForACause,
  I7: secretsStayInside,
  I8: tokensGoToTheirOriginOnly,
  I9: oneReplay,
  I10: nothingIsLeftBehind,
  I11: storesFailNoCall,
  I12: announcedIsStored,
  I13: refusalsCostLittle,
  suspension: lateTimersDecideNothing,
  signOut: signOutsEndSessions,
  limits: limitsHold,
  consistent: chartAndVaultAgree,
}

export function violations(around: Surroundings): string[] {
  const found: string[] = []
  for (const [name, invariant] of Object.entries(INVARIANTS)) {
    for (const violation of invariant(around)) found.push(`${name}: ${violation}`)
  }
  return found
}
