import type { Ran } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import type { Peer } from './types.ts'

export type Verdict =
  | { readonly outcome: 'pass'; readonly option?: string }
  | { readonly outcome: 'fail'; readonly why: string }
  | { readonly outcome: 'not claimed'; readonly why?: string }

export interface Row {
  readonly peer: string
  readonly scenario: string
  readonly verdict: Verdict
}

/** Whether the library's documentation claims what the scenario needs. Otherwise the scenario cannot fail. */
export const claims = ({ claims, ownServer }: Peer, { needs, oneOf, anyServer }: Scenario): boolean =>
  !(anyServer && ownServer) &&
  needs.every((job) => claims.includes(job)) &&
  (!oneOf || oneOf.some((job) => claims.includes(job)))

export function judge(peer: Peer, scenario: Scenario, ran: Ran): Verdict {
  if (ran.passed) return { outcome: 'pass' }
  if (ran.passed === undefined) return { outcome: 'not claimed' }
  return claims(peer, scenario) ? { outcome: 'fail', why: ran.why } : { outcome: 'not claimed', why: ran.why }
}
