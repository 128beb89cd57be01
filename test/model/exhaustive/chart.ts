/**
 * `machines/auth.machine.ts`, with `provide.ts` and what `gate.ts` does once the chart has come to rest: where the chart
 * goes, and what becomes of those who wait.
 */
import { CHANGED, ended } from './messages.ts'
import { other, type Play, tell } from './play.ts'
import {
  AUTHENTICATING,
  CHART,
  CLOSED,
  CURRENT,
  EXPIRED,
  type Exchange,
  FOREIGN,
  FREE,
  HELD,
  HELD_AGAIN,
  LOGGED_OUT,
  NOTHING,
  OPEN,
  type Place,
  RELEASED,
  RELEASED_AGAIN,
  RENEWABLE,
  REQUESTING,
  type Request,
  SETTLED,
  STRAY,
  SUSPENDED,
  sessionOf,
  type Tab,
  TERMINAL,
  WAITING,
  type World,
} from './state.ts'
import { clearStore } from './store.ts'
import { dismiss, erase, outdate } from './vault.ts'

/** The gate's posture `pass`. */
export const letsPass = (place: Place) => place === RENEWABLE || place === TERMINAL || place === OPEN

/** `refreshing.exchange.requesting`, and the exchange is the one it listens to. */
export const isHeard = (tab: Tab, exchange: Exchange) =>
  exchange.current && !exchange.late && isRequesting(tab)

export const isRefreshing = ({ place }: Tab) => place === OPEN || place === CLOSED
const isRequesting = (tab: Tab) => isRefreshing(tab) && tab.exchange === REQUESTING

export function enter(play: Play, world: World, number: number, place: Place) {
  const tab = world.tabs[number]!
  if (tab.look.by === CHART) tab.look.by = STRAY
  tab.place = place
  tab.exchange = REQUESTING
  settle(play, world, number)
}

export function isWaiting({ stage }: Request) {
  return stage === HELD || stage === HELD_AGAIN
}

/** `settle`, `release`: who waits is let go, turned away, or waits on, as the place says. */
function settle(play: Play, world: World, number: number) {
  const { place } = world.tabs[number]!
  for (const request of world.requests) {
    if (request.tab !== number || !isWaiting(request)) continue
    if (letsPass(place)) {
      if (request.pass === FOREIGN) request.stage = SETTLED
      else {
        request.stage = request.stage === HELD ? RELEASED : RELEASED_AGAIN
        request.pass = CURRENT
      }
    } else if (place === LOGGED_OUT || (place === EXPIRED && play.rules.emptyQueueOnExpiry)) {
      request.stage = SETTLED
    }
  }
}

export function authenticated(play: Play, world: World, number: number) {
  enter(play, world, number, world.tabs[number]!.last ? TERMINAL : RENEWABLE)
}

export function terminal(play: Play, world: World, number: number) {
  world.tabs[number]!.last = true
  enter(play, world, number, TERMINAL)
}

/** Enters `refreshing` by that gate. */
export function refreshing(play: Play, world: World, number: number, gate: Place) {
  enter(play, world, number, gate)
  request(play, world, number)
}

/** Enters `requesting`: joins an exchange for the same tokens that is under way, or begins one (`exchange`). */
export function request(play: Play, world: World, number: number) {
  const tab = world.tabs[number]!
  tab.exchange = REQUESTING
  if (tab.exchanges.some(({ stage, current, late }) => stage !== FREE && current && !late)) return
  const exchange = tab.exchanges.find(({ stage }) => stage === FREE)
  if (!exchange) throw new Error('The model has no room for so many exchanges')
  exchange.stage = WAITING
  exchange.current = true
  exchange.sameEpoch = play.rules.revokes
}

/** The access token is known to be dead: by a 401, or by the clock. */
export function close(play: Play, world: World, number: number) {
  const tab = world.tabs[number]!
  tab.knownDead = true
  if (tab.place === TERMINAL) expire(play, world, number)
  else if (tab.place === OPEN) tab.place = CLOSED
  else refreshing(play, world, number, CLOSED)
}

/** What `close` leads to, in words. */
export const consequence = (place: Place) =>
  place === TERMINAL
    ? 'the session expires'
    : place === OPEN
      ? 'the gate closes'
      : 'the gate closes, and a refresh begins'

export function suspend(world: World, number: number) {
  world.tabs[number]!.exchange = SUSPENDED
  for (const request of world.requests) {
    if (request.tab === number && isWaiting(request)) request.stage = SETTLED
  }
}

/** `eraseTokens`, `refuseRequests`: the session ended by itself. */
export function expire(play: Play, world: World, number: number) {
  const { tokens } = world.tabs[number]!
  erase(world, number)
  clearStore(play, world, number, tokens)
  tell(world.tabs[other(number)]!, ended(sessionOf(tokens)))
  enter(play, world, number, EXPIRED)
}

/** `session.signOut`. */
export function signOut(play: Play, world: World, number: number) {
  const tab = world.tabs[number]!
  const left = sessionOf(tab.tokens)
  // Whoever signs out of what the store holds signs out of that.
  for (const session of [left, tab.erased, sessionOf(world.stored)]) {
    if (session > 0) world.sessions[session - 1]!.signedOut = true
  }
  if (play.rules.revokes && left > 0) world.sessions[left - 1]!.revoking = true
  dismiss(world, number)
  tab.departed = true
  clearStore(play, world, number)
  // Where there was nobody to dismiss, the others find the record gone.
  tell(world.tabs[other(number)]!, left > 0 ? ended(left) : CHANGED)
  enter(play, world, number, LOGGED_OUT)
}

/** `endedElsewhere`: the record is gone. */
export function endedElsewhere(play: Play, world: World, number: number) {
  outdate(world.tabs[number]!)
  removed(play, world, number)
}

/** `session.removed`: it ended elsewhere; the store is left to whoever ended it. */
export function removed(play: Play, world: World, number: number) {
  const tab = world.tabs[number]!
  if (tab.tokens === NOTHING && tab.erased === 0) return
  dismiss(world, number)
  tab.knowsRecord = false
  enter(play, world, number, LOGGED_OUT)
}

export function enterAuthenticating(play: Play, world: World, number: number) {
  enter(play, world, number, AUTHENTICATING)
}

/** `authenticating` failed: back to where the session stands. */
export function returnFromSignIn(play: Play, world: World, number: number) {
  const { tokens, knownDead, erased } = world.tabs[number]!
  if (tokens === NOTHING) enter(play, world, number, erased === 0 ? LOGGED_OUT : EXPIRED)
  else if (knownDead) refreshing(play, world, number, CLOSED)
  else authenticated(play, world, number)
}

/** `session.adopt`: tokens came that the chart did not wait for. */
export function hearsOfTokens(play: Play, world: World, number: number, renewal: boolean, works: boolean) {
  const { place } = world.tabs[number]!
  if (place === AUTHENTICATING && renewal && works) return
  if (works) authenticated(play, world, number)
  else {
    world.tabs[number]!.knownDead = true
    refreshing(play, world, number, CLOSED)
  }
}

export function announceChange(world: World, number: number) {
  tell(world.tabs[other(number)]!, CHANGED)
}
