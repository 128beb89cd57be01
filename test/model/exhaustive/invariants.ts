/**
 * What must hold. Some is checked as a step is taken (who presents a refresh token, who sends a request), some in every
 * state, some where everything has come to rest.
 *
 * I1  At most one exchange of a session is under way, and one more for each lock that was lost or given up. One whose
 *     client gave up waiting, or crashed, is not under way any more. None starts that nobody needs.
 * I2  A refresh token whose answer has come is not presented again, unless a lock or the store failed, or the answer came
 *     after its deadline.
 * I3  No request leaves with a token that is not its tab's current one, nor while its tab's gate is closed.
 * I4  Whoever waits is let go or turned away: there is no rest while somebody waits (and no run without end, see `search`).
 * I5  Nothing of a session that is over, or older, gets into a vault, or into the store; nor does its end touch a newer one.
 * I6  A session is given up, or expires, only where the server has ended it.
 * I9  A request is sent at most twice.
 * K   A session is kept: the server never sees a spent refresh token of one that is at stake, and somebody always has the
 *     newest, unless an answer was lost or late, or a lock or the store failed. At a server with a grace only the store may.
 * A   All agree: at rest each tab has the session that the store has, unless there was a fault, or its user left.
 */
import { ANSWER_LATE, ANSWER_LOST, LOCK_FAULT, STORE_FAULT } from './budget.ts'
import { isRefreshing, isWaiting, letsPass } from './chart.ts'
import { isDead, type Play } from './play.ts'
import {
  ALIVE,
  AUTHENTICATING,
  CLOSED,
  CURRENT,
  DEAD,
  EXPIRED,
  GONE,
  GRANTED,
  LOGGED_OUT,
  lagOf,
  NOT_BEGUN,
  NOTHING,
  RESTORING,
  type Request,
  SENT,
  SUSPENDED,
  sessionOf,
  TERMINAL,
  type TokenSet,
  type World,
} from './state.ts'

/** A refresh token leaves for the server. `world` has it under way already. */
export function checkPresenting(play: Play, world: World, number: number, tokens: TokenSet) {
  const { answered } = world.sessions[sessionOf(tokens) - 1]!
  const isRepeated = (answered & (1 << lagOf(tokens))) !== 0
  const isExcused = (world.excuses & (LOCK_FAULT | STORE_FAULT | ANSWER_LATE)) !== 0
  if (isRepeated && !isExcused && isAtStake(world, sessionOf(tokens))) {
    play.breaks('I2: a refresh token is presented again that was answered')
  }
  const lockFaults = play.lockFaults - world.budget.locks
  if (exchangesUnderWay(world, sessionOf(tokens)) > 1 + lockFaults) {
    play.breaks('I1: two exchanges of one session are under way at once')
  }
  const { place, last } = world.tabs[number]!
  if (place === CLOSED && !last && !isDead(world, tokens)) {
    play.breaks('I1: an exchange that nobody needs: the access token works')
  }
}

/** Whether there is anything to lose: the session lives, nobody signed out of it, and nobody has signed in since. */
export function isAtStake({ sessions }: World, session: number): boolean {
  const { life, signedOut } = sessions[session - 1]!
  return life === ALIVE && !signedOut && (session === 2 || sessions[1].life === NOT_BEGUN)
}

/** Whether a fault happened that may cost a session; a server with a grace makes up for a lost answer. */
export const excusesLoss = ({ excuses }: World, grace: boolean) =>
  (excuses & (grace ? STORE_FAULT : STORE_FAULT | LOCK_FAULT | ANSWER_LOST | ANSWER_LATE)) !== 0

function exchangesUnderWay(world: World, session: number): number {
  let count = 0
  for (const { exchanges } of world.tabs) {
    for (const { stage, tokens, late, orphan } of exchanges) {
      const isPending = stage === SENT || stage === GRANTED
      if (isPending && !late && !orphan && sessionOf(tokens) === session) count++
    }
  }
  return count
}

/** A request leaves with a token. */
export function checkSending(play: Play, world: World, { tab, pass }: Request) {
  const { place, tokens } = world.tabs[tab]!
  if (tokens === NOTHING) play.breaks('I3: a request leaves with a token after the session is over')
  else if (!letsPass(place)) play.breaks('I3: a request leaves while the gate is closed')
  else if (pass !== CURRENT) play.breaks('I3: a request leaves with a token older than the current one')
}

/** In every state. */
export function checkState(world: World): string | undefined {
  for (let number = 0; number < 2; number++) {
    const { place, tokens, last, erased } = world.tabs[number]!
    if (place === EXPIRED && world.sessions[erased - 1]!.life === ALIVE) {
      return 'I6: a session has expired that the server has not ended'
    }
    const isEmpty = place === LOGGED_OUT || place === EXPIRED
    if (isEmpty && tokens !== NOTHING) return 'I5: tokens are left of a session that is over'
    if (!isEmpty && place !== AUTHENTICATING && place !== RESTORING && tokens === NOTHING) {
      return 'A: the chart has a session, and the vault no tokens'
    }
    if (last && tokens !== NOTHING && world.sessions[sessionOf(tokens) - 1]!.life !== DEAD) {
      return 'I6: a session is given up that the server has not ended'
    }
  }
  for (let session = 1; session <= 2; session++) {
    if (isLost(world, session)) return 'K: the newest refresh token is lost, without a fault'
  }
  return undefined
}

/** Whether somebody has the session, and nobody its newest tokens. */
function isLost(world: World, number: number): boolean {
  const { stored, tabs, excuses } = world
  if (!isAtStake(world, number) || excuses & (ANSWER_LOST | STORE_FAULT)) return false
  let someone = false
  let newest = false
  const see = (tokens: TokenSet) => {
    if (tokens === GONE || sessionOf(tokens) !== number) return
    someone = true
    if (lagOf(tokens) === 0) newest = true
  }
  see(stored)
  for (const { tokens, exchanges } of tabs) {
    see(tokens)
    for (const { stage, tokens: answer, orphan, current } of exchanges) {
      if (stage === GRANTED && !orphan && current) see(answer)
    }
  }
  return someone && !newest
}

/** Where nothing happens any more by itself. */
export function checkRest(world: World): string | undefined {
  for (const request of world.requests) {
    if (isWaiting(request)) return 'I4: a request waits for ever'
  }
  const { stored, excuses, tabs } = world
  // A store that failed cannot tell everyone; where there was no fault, sessions end for all tabs, and all have the same.
  const isSignedOut = (tokens: TokenSet) =>
    tokens !== NOTHING && world.sessions[sessionOf(tokens) - 1]!.signedOut && !(excuses & STORE_FAULT)
  if (isSignedOut(stored)) return 'I5: the store holds a session that was signed out'
  for (const tab of tabs) {
    if (isSignedOut(tab.tokens)) return 'I5: a tab is in a session that was signed out'
    const isGivenUp = isRefreshing(tab) && tab.exchange === SUSPENDED
    const isExempt = isGivenUp || tab.departed || tab.place === TERMINAL
    if (excuses === 0 && !isExempt && tab.tokens !== stored) {
      return 'A: a tab and the store have different sessions'
    }
  }
  return undefined
}
