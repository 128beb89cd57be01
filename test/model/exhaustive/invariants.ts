/**
 * The invariants. Some are checked when a step is taken (a refresh token is presented, a request is sent), some in
 * every state, and some in every state at rest, which means that no automatic step is possible.
 *
 * I1  At most one refresh of a session is in progress, and one more for each lock that was lost or not waited for. A
 *     refresh whose client gave up waiting or crashed does not count. No refresh starts while the access token works.
 * I2  A refresh token whose answer has arrived is not presented again, unless a lock or the store failed, or the answer
 *     came after its deadline.
 * I3  A request is sent only with the current token of its tab, and only while the gate of its tab is open.
 * I4  Every held request is released or rejected: no request waits at rest. No run is endless, see `search`.
 * I5  Tokens of an ended or older session enter neither a vault nor the store. The end of a session does not affect a
 *     newer one.
 * I6  A tab takes a session for ended, or lets it expire, only if the server has ended it.
 * I9  A request is sent at most twice.
 * E   An end is taken for what it is: a session ends as signed out only after a sign-out, or if the store has failed.
 * K   No session is lost: the server never receives a used refresh token of a session that is at stake, and some tab or
 *     the store always has the newest one. Exceptions: an answer was lost or late, or a lock or the store failed. At a
 *     server with a grace, only a failed store is an exception.
 * A   All agree: at rest each tab has the same session as the store, unless there was a fault or its user signed out.
 */
import { ANSWER_LATE, ANSWER_LOST, LOCK_FAULT, STORE_FAULT } from './budget.ts'
import { isRefreshing, letsPass } from './chart.ts'
import {
  ACTIVE,
  AUTHENTICATING,
  CLOSED,
  COOLING_DOWN,
  CURRENT,
  ENDED,
  EXPIRED,
  GRANTED,
  isWaiting,
  LAST_TOKEN,
  LOGGED_OUT,
  lagOf,
  NOT_BEGUN,
  NOTHING,
  REMOVED,
  RESTORING,
  type Request,
  SENT,
  sessionOf,
  type TokenSet,
  type World,
} from './state.ts'
import { isInvalid, type Stepper } from './stepper.ts'

/** Checks a refresh token that is sent to the server. In `world` it is in transit already. */
export function checkPresenting(stepper: Stepper, world: World, number: number, tokens: TokenSet) {
  const { answered } = world.sessions[sessionOf(tokens) - 1]!
  const isRepeated = (answered & (1 << lagOf(tokens))) !== 0
  const isExcused = (world.faults & (LOCK_FAULT | STORE_FAULT | ANSWER_LATE)) !== 0
  if (isRepeated && !isExcused && isAtStake(world, sessionOf(tokens))) {
    stepper.violate('I2: a refresh token is presented again that was answered')
  }
  const lockFaults = stepper.lockFaults - world.budget.locks
  if (attemptsUnderWay(world, sessionOf(tokens)) > 1 + lockFaults) {
    stepper.violate('I1: two refreshes of one session run at the same time')
  }
  const { chartState, hasLastToken } = world.tabs[number]!
  if (chartState === CLOSED && !hasLastToken && !isInvalid(world, tokens)) {
    stepper.violate('I1: a needless refresh: the access token works')
  }
}

/** Whether a loss of the session matters: it is active, not signed out, and not replaced by a later sign-in. */
export function isAtStake({ sessions }: World, session: number): boolean {
  const { status, signedOut } = sessions[session - 1]!
  return status === ACTIVE && !signedOut && (session === 2 || sessions[1].status === NOT_BEGUN)
}

/** Whether a fault happened that may cost a session. A server with a grace makes up for a lost answer. */
export const excusesLoss = ({ faults }: World, grace: boolean) =>
  (faults & (grace ? STORE_FAULT : STORE_FAULT | LOCK_FAULT | ANSWER_LOST | ANSWER_LATE)) !== 0

function attemptsUnderWay(world: World, session: number): number {
  let count = 0
  for (const { attempts } of world.tabs) {
    for (const { stage, tokens, timedOut, orphan } of attempts) {
      const isPending = stage === SENT || stage === GRANTED
      if (isPending && !timedOut && !orphan && sessionOf(tokens) === session) count++
    }
  }
  return count
}

/** Checks a request that is sent with a token. */
export function checkSending(stepper: Stepper, world: World, { tab, pass }: Request) {
  const { chartState, tokens } = world.tabs[tab]!
  if (tokens === NOTHING) stepper.violate('I3: a request is sent with a token after the session ended')
  else if (!letsPass(chartState)) stepper.violate('I3: a request is sent while the gate is closed')
  else if (pass !== CURRENT) stepper.violate('I3: a request is sent with a token older than the current one')
}

/** Checks any state. Returns the violated invariant. */
export function checkState(world: World): string | undefined {
  for (let number = 0; number < 2; number++) {
    const { chartState, tokens, hasLastToken, expiredSession } = world.tabs[number]!
    if (chartState === EXPIRED && world.sessions[expiredSession - 1]!.status === ACTIVE) {
      return 'I6: a session has expired that the server has not ended'
    }
    const isEmpty = chartState === LOGGED_OUT || chartState === EXPIRED
    if (isEmpty && tokens !== NOTHING) return 'I5: the vault has tokens of a session that ended'
    if (!isEmpty && chartState !== AUTHENTICATING && chartState !== RESTORING && tokens === NOTHING) {
      return 'A: the chart has a session, and the vault no tokens'
    }
    if (hasLastToken && tokens !== NOTHING && world.sessions[sessionOf(tokens) - 1]!.status !== ENDED) {
      return 'I6: a session is given up that the server has not ended'
    }
  }
  for (let session = 1; session <= 2; session++) {
    if (isLost(world, session)) return 'K: the newest refresh token is lost, without a fault'
  }
  return undefined
}

/** Whether tabs or the store have tokens of the session, but none of them has the newest. */
function isLost(world: World, number: number): boolean {
  const { stored, tabs, faults } = world
  if (!isAtStake(world, number) || faults & (ANSWER_LOST | STORE_FAULT)) return false
  let someone = false
  let newest = false
  const see = (tokens: TokenSet) => {
    if (tokens === REMOVED || sessionOf(tokens) !== number) return
    someone = true
    if (lagOf(tokens) === 0) newest = true
  }
  see(stored)
  for (const { tokens, attempts } of tabs) {
    see(tokens)
    for (const { stage, tokens: answer, orphan, current } of attempts) {
      if (stage === GRANTED && !orphan && current) see(answer)
    }
  }
  return someone && !newest
}

/** Checks a state at rest. Returns the violated invariant. */
export function checkRest(world: World): string | undefined {
  for (const request of world.requests) {
    if (isWaiting(request)) return 'I4: a request waits forever'
  }
  const { stored, faults, tabs } = world
  // After a store fault, a tab may miss the end of a session. Without a fault, a session ends in all tabs, and all tabs
  // have the same session.
  const isSignedOut = (tokens: TokenSet) =>
    tokens !== NOTHING && world.sessions[sessionOf(tokens) - 1]!.signedOut && !(faults & STORE_FAULT)
  if (isSignedOut(stored)) return 'I5: the store holds a session that was signed out'
  for (const tab of tabs) {
    if (isSignedOut(tab.tokens)) return 'I5: a tab is in a session that was signed out'
    const isGivenUp = isRefreshing(tab) && tab.phase === COOLING_DOWN
    const isExempt = isGivenUp || tab.hasSignedOut || tab.chartState === LAST_TOKEN
    if (faults === 0 && !isExempt && tab.tokens !== stored) {
      return 'A: a tab and the store have different sessions'
    }
  }
  return undefined
}
