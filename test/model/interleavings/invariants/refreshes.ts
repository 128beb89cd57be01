import type { RefreshCall } from '../facts.ts'
import { SECRET } from '../server.ts'
import type { Surroundings } from '../surroundings.ts'
import { broken, orderly } from './order.ts'

/**
 * At most one refresh per session. Without the lock, two tabs may refresh at once: then the commit is guarded, and the
 * grace period of the server is needed.
 */
export function* oneRefreshAtATime({ facts, config }: Surroundings) {
  for (const refreshCall of facts.refreshes) {
    if (!refreshCall.lock && !refreshCall.excused) yield `${nameOf(refreshCall)} began without the lock`
    for (const other of refreshCall.beside) {
      if (mayOverlap(refreshCall, other)) continue
      yield `${nameOf(refreshCall)} began beside ${nameOf(other)}${config.coordinator === 'none' ? '' : ', in spite of the lock'}`
    }
  }
  for (const { page } of facts.needless) yield `${page.name} refreshed because an older token was rejected`
}

function mayOverlap(refreshCall: RefreshCall, other: RefreshCall): boolean {
  const bothLocked = refreshCall.lock !== undefined && other.lock?.failed === false
  if (refreshCall.tab !== other.tab) return !bothLocked
  // The first attempt was answered late, and no call waits for the second one, which may still be running.
  return !bothLocked && refreshCall.token !== other.token
}

/** How many refreshes of working tokens endpoints may cause within `DOUBT` milliseconds. */
const MOST_WASTED = 6
const DOUBT = 30_000

/** Endpoints that refuse every token cost a bounded number of refreshes, however many they are. */
export function* refusalsCostLittle({ tabs, clock }: Surroundings) {
  // Doubts follow the wall clock.
  if (clock.jumps > 0) return
  for (const { page, caused } of tabs) {
    const recent = caused.filter(({ at, isNeedless }) => isNeedless && clock.uptime - at < DOUBT)
    if (recent.length > MOST_WASTED)
      yield `${page.name} refreshed ${recent.length} times for endpoints that refuse`
  }
}

const nameOf = ({ tab, token }: RefreshCall) => `the refresh with ${shorten(token)} by ${tab.page.name}`
const shorten = (token: string) => token.replace(`${SECRET}-`, '')

/**
 * A refresh token is never sent again after its answer has arrived. This holds for the same tab, and for other tabs if
 * they share a lock and a store.
 */
export function* answeredTokensAreNotReused(around: Surroundings) {
  if (around.config.cookie) return
  for (const refreshCall of around.facts.refreshes) {
    const { tab, family, answeredTo } = refreshCall
    // After a sign-out in another tab, the server revokes the session anyway.
    if (family && around.signedOut.has(family.name)) continue
    const here = answeredTo.some((answered) => answered.tab === tab) && !broken(around)
    // Tokens received without the lock may still be on their way to the store.
    const stored = answeredTo.filter(({ locked }) => locked || !around.config.slowStore)
    const there = orderly(around) && refreshCall.lock && stored.some((answered) => !answered.tab.page.closed)
    if (here || there) yield `${nameOf(refreshCall)} began after that token was answered`
  }
}
