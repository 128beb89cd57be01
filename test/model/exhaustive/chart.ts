/**
 * The transitions of `machines/auth.machine.ts` with the ports of `session/session.ts`, and what `requests/gate.ts` does with held
 * requests after each transition.
 */
import { STORE_FAULT } from './budget.ts'
import { CHANGED, expired, isExpiryOf, signedOut } from './messages.ts'
import {
  ABANDONED,
  AUTHENTICATING,
  CHART,
  type ChartState,
  CLOSED,
  COOLING_DOWN,
  CURRENT,
  EXPIRED,
  FOREIGN,
  FREE,
  HELD,
  isWaiting,
  LAST_TOKEN,
  LOGGED_OUT,
  NOTHING,
  OPEN,
  REFRESHABLE,
  RELEASED,
  RELEASED_AGAIN,
  REQUESTING,
  type RefreshAttempt,
  SETTLED,
  sessionOf,
  type Tab,
  WAITING,
  type World,
} from './state.ts'
import { otherTab, post, type Stepper } from './stepper.ts'
import { clearStore } from './store.ts'
import { bumpRevision, endSession, expireTokens } from './vault.ts'

/** Whether requests are sent in this state: the tag `pass`. */
export const letsPass = (chartState: ChartState) =>
  chartState === REFRESHABLE || chartState === LAST_TOKEN || chartState === OPEN

/** Whether the chart waits for this attempt: it is in `refreshing.attempt.requesting` and joined the attempt. */
export const isAwaited = (tab: Tab, attempt: RefreshAttempt) =>
  attempt.current && !attempt.timedOut && isRequesting(tab)

export const isRefreshing = ({ chartState }: Tab) => chartState === OPEN || chartState === CLOSED
const isRequesting = (tab: Tab) => isRefreshing(tab) && tab.phase === REQUESTING

export function enter(stepper: Stepper, world: World, number: number, chartState: ChartState) {
  const tab = world.tabs[number]!
  if (tab.storeRead.reader === CHART) tab.storeRead.reader = ABANDONED
  tab.chartState = chartState
  tab.phase = REQUESTING
  flushHeld(stepper, world, number)
}

/** `flush`, `#release`: held requests are released, rejected, or still held, depending on the state of the chart. */
function flushHeld(stepper: Stepper, world: World, number: number) {
  const { chartState } = world.tabs[number]!
  for (const request of world.requests) {
    if (request.tab !== number || !isWaiting(request)) continue
    if (letsPass(chartState)) {
      if (request.pass === FOREIGN) request.stage = SETTLED
      else {
        request.stage = request.stage === HELD ? RELEASED : RELEASED_AGAIN
        request.pass = CURRENT
      }
    } else if (chartState === LOGGED_OUT || (chartState === EXPIRED && stepper.rules.rejectHeldOnExpiry)) {
      request.stage = SETTLED
    }
  }
}

export function enterAuthenticated(stepper: Stepper, world: World, number: number) {
  enter(stepper, world, number, world.tabs[number]!.hasLastToken ? LAST_TOKEN : REFRESHABLE)
}

export function enterTerminal(stepper: Stepper, world: World, number: number) {
  world.tabs[number]!.hasLastToken = true
  enter(stepper, world, number, LAST_TOKEN)
}

/** Enters `refreshing` with the gate OPEN or CLOSED. */
export function enterRefreshing(stepper: Stepper, world: World, number: number, gate: ChartState) {
  enter(stepper, world, number, gate)
  requestTokens(stepper, world, number)
}

/** Enters `requesting`: joins the attempt that is in progress for the same tokens, or starts one (`refresh`). */
export function requestTokens(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  tab.phase = REQUESTING
  if (tab.attempts.some(({ stage, current, timedOut }) => stage !== FREE && current && !timedOut)) return
  const attempt = tab.attempts.find(({ stage }) => stage === FREE)
  if (!attempt)
    throw new Error('Too many refresh attempts for the encoding: raise ATTEMPTS and WIDTH in encoding.ts')
  attempt.stage = WAITING
  attempt.current = true
  attempt.sameEpoch = stepper.rules.revokes
}

/** The access token is known to be invalid, by a 401 or by the clock. */
export function closeGate(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  tab.knownInvalid = true
  if (tab.chartState === LAST_TOKEN) expire(stepper, world, number)
  else if (tab.chartState === OPEN) tab.chartState = CLOSED
  else enterRefreshing(stepper, world, number, CLOSED)
}

/** What `closeGate` leads to, in words. */
export const consequence = (chartState: ChartState) =>
  chartState === LAST_TOKEN
    ? 'the session expires'
    : chartState === OPEN
      ? 'the gate closes'
      : 'the gate closes, and a refresh begins'

export function suspend(world: World, number: number) {
  world.tabs[number]!.phase = COOLING_DOWN
  for (const request of world.requests) {
    if (request.tab === number && isWaiting(request)) request.stage = SETTLED
  }
}

/** `expireSession`: the session expires. */
export function expire(stepper: Stepper, world: World, number: number) {
  const { tokens } = world.tabs[number]!
  expireTokens(world, number)
  clearStore(stepper, world, number, tokens)
  post(
    world.tabs[otherTab(number)]!,
    stepper.rules.endSaysWhy ? expired(tokens) : signedOut(sessionOf(tokens)),
  )
  enter(stepper, world, number, EXPIRED)
}

/** `session.expiredElsewhere`: the session expired in another tab, which has cleared the store already. */
export function expireElsewhere(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  expireTokens(world, number)
  tab.knowsRecord = false
  // A pending sign-in goes on.
  if (tab.chartState !== AUTHENTICATING) enter(stepper, world, number, EXPIRED)
}

/** `session.signOut`. */
export function signOut(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  const current = sessionOf(tab.tokens)
  const { expiredSession } = tab
  // A sign-out also ends the session in the store, because it clears the store.
  for (const session of [current, tab.expiredSession, sessionOf(world.stored)]) {
    if (session > 0) world.sessions[session - 1]!.signedOut = true
  }
  if (stepper.rules.revokes && current > 0) world.sessions[current - 1]!.revoking = true
  endSession(world, number)
  tab.hasSignedOut = true
  clearStore(stepper, world, number)
  post(world.tabs[otherTab(number)]!, signedOut(current > 0 ? current : expiredSession))
  enter(stepper, world, number, LOGGED_OUT)
}

/** `endedElsewhere`: the session ended in another tab. Reads and attempts in progress become outdated. */
export function endedElsewhere(stepper: Stepper, world: World, number: number) {
  bumpRevision(world.tabs[number]!)
  logOut(stepper, world, number)
}

/** The record is missing: the session has expired if another tab announced that, or else the user signed out. */
export function endRemoved(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  if (isExpiryOf(tab.announcedExpiry, tab.tokens)) expireElsewhere(stepper, world, number)
  else endedElsewhere(stepper, world, number)
}

/** `session.endedElsewhere`: the session ended in another tab, which has cleared the store already. */
function logOut(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  if (tab.tokens === NOTHING && tab.expiredSession === 0) return
  const session = tab.tokens === NOTHING ? tab.expiredSession : sessionOf(tab.tokens)
  const hasCause = world.sessions.some(({ signedOut }, index) => signedOut && index + 1 >= session)
  if (!hasCause && !(world.faults & STORE_FAULT))
    stepper.violate('E: a session ended as signed out without a sign-out')
  endSession(world, number)
  tab.knowsRecord = false
  enter(stepper, world, number, LOGGED_OUT)
}

export function enterAuthenticating(stepper: Stepper, world: World, number: number) {
  enter(stepper, world, number, AUTHENTICATING)
}

/** `authenticating` failed: returns to the state that fits the session. */
export function returnFromSignIn(stepper: Stepper, world: World, number: number) {
  const { tokens, knownInvalid, expiredSession } = world.tabs[number]!
  if (tokens === NOTHING) enter(stepper, world, number, expiredSession === 0 ? LOGGED_OUT : EXPIRED)
  else if (knownInvalid) enterRefreshing(stepper, world, number, CLOSED)
  else enterAuthenticated(stepper, world, number)
}

/** `tokens.received`: tokens arrive that the chart did not wait for. */
export function receiveTokens(
  stepper: Stepper,
  world: World,
  number: number,
  isSameSession: boolean,
  works: boolean,
) {
  const { chartState } = world.tabs[number]!
  if (chartState === AUTHENTICATING && isSameSession && works) return
  if (works) enterAuthenticated(stepper, world, number)
  else {
    world.tabs[number]!.knownInvalid = true
    enterRefreshing(stepper, world, number, CLOSED)
  }
}

export function announceChange(world: World, number: number) {
  post(world.tabs[otherTab(number)]!, CHANGED)
}
