import { answeredTokensAreDone, oneExchangeAtATime } from './invariants/exchanges.ts'
import { nothingLeavesAtAClosedGate, oneReplay, tokensGoToTheirOriginOnly } from './invariants/sendings.ts'
import { chartAndVaultAgree, lateResultsAreDropped, onlyTheEndIsTheEnd } from './invariants/sessions.ts'
import { nothingIsLeftBehind, secretsStayInside } from './invariants/traces.ts'
import { storesFailNobody, whoWaitsSettles } from './invariants/waits.ts'
import type { Surroundings } from './surroundings.ts'

/** What is wrong, for each thing that is. */
type Invariant = (around: Surroundings) => Iterable<string>

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
