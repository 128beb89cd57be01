import { freeAttempt, freeStoreRead } from './encoding.ts'
import { isExpiry, isExpiryOf, signedOut } from './messages.ts'
import type { Rules } from './rules.ts'
import {
  ABANDONED,
  ACTIVE,
  CURRENT,
  ENDED,
  FOREIGN,
  FREE,
  IN_FLIGHT,
  lagOf,
  NONE_INVALID,
  NOT_BEGUN,
  NOTHING,
  REFUSED,
  RELOAD,
  REMOVED,
  REPLAYED,
  type RefreshAttempt,
  SENT,
  SETTLED,
  type StoreRead,
  sessionOf,
  shouldMerge,
  type Tab,
  type TokenSet,
  type World,
} from './state.ts'

/** Resets everything that cannot make a difference any more, so that worlds that behave alike become equal. */
export function simplify(world: World, { generationCheck }: Rules) {
  simplifyRequests(world, generationCheck)
  for (const tab of world.tabs) {
    for (const attempt of tab.attempts) if (isIrrelevant(attempt)) freeAttempt(attempt)
    if (!canMatter(world, tab.announcedExpiry)) tab.announcedExpiry = NOTHING
    if (
      (tab.storeRead.reader === RELOAD || tab.storeRead.reader === ABANDONED) &&
      !mayMatter(tab, tab.storeRead)
    )
      freeStoreRead(tab.storeRead)
  }
  for (let number = 1; number <= 2; number++) {
    const session = world.sessions[number - 1]!
    if (session.status === NOT_BEGUN) continue
    const oldest = oldestLag(world, number)
    if (oldest < 0) {
      // No tab and no store has any token of the session, so it cannot come back.
      session.status = ENDED
      session.invalidFrom = NONE_INVALID
      session.answered = 0
      session.signedOut = session.revoking = false
      for (const tab of world.tabs) tab.endedSessions &= ~(1 << number)
    } else {
      if (session.invalidFrom > oldest || session.status !== ACTIVE) session.invalidFrom = NONE_INVALID
      session.answered &= (2 << oldest) - 1
    }
  }
}

/** Whether any tokens are left that this expiry ends. */
function canMatter({ stored, tabs }: World, expiry: TokenSet): boolean {
  const isHeld = (tokens: TokenSet) => tokens !== REMOVED && isExpiryOf(expiry, tokens)
  return (
    isHeld(stored) ||
    tabs.some(
      ({ tokens, storeRead, attempts }) =>
        isHeld(tokens) ||
        isHeld(storeRead.tokens) ||
        attempts.some((attempt) => attempt.stage !== FREE && isHeld(attempt.tokens)),
    )
  )
}

/** Completes requests in flight if nothing depends on their answers any more. */
function simplifyRequests({ requests }: World, generationCheck: boolean) {
  for (const request of requests) {
    const { stage, pass } = request
    const isCallers = stage === IN_FLIGHT ? pass === FOREIGN : stage === REPLAYED && pass !== CURRENT
    if (isCallers && generationCheck) {
      request.stage = SETTLED
      request.pass = CURRENT
    }
  }
}

const isIrrelevant = ({ stage, timedOut, orphan }: RefreshAttempt) =>
  (orphan && stage !== SENT) || (timedOut && stage === REFUSED)

/**
 * Whether a read can still have an effect. A tab's tokens only get newer; a tab whose session expired meanwhile reads
 * again.
 */
const mayMatter = (tab: Tab, { reader, tokens, current, sameEpoch }: StoreRead) =>
  (reader === RELOAD && sameEpoch) ||
  (tokens === REMOVED ? current && tab.tokens !== NOTHING : shouldMerge(tab, tokens, current))

/** The largest lag of a session's tokens in any tab or in the store; -1: none of them has any token of the session. */
function oldestLag({ stored, tabs }: World, number: number): number {
  let oldest = -1
  const see = (tokens: number) => {
    if (tokens !== REMOVED && sessionOf(tokens) === number && lagOf(tokens) > oldest) oldest = lagOf(tokens)
  }
  see(stored)
  for (const tab of tabs) {
    see(tab.tokens)
    if (tab.expiredSession === number && oldest < 0) oldest = 0
    for (const { stage, tokens } of tab.attempts) if (stage !== FREE) see(tokens)
    see(tab.storeRead.tokens)
    // The tab looks whether its record was removed when a later session was signed out of.
    if (tab.storeRead.tokens === REMOVED && sessionOf(tab.tokens) < number && oldest < 0) oldest = 0
    for (const message of tab.inbox) {
      if (isExpiry(message)) see(message)
      else if (message === signedOut(number) && oldest < 0) oldest = 0
    }
  }
  return oldest
}
