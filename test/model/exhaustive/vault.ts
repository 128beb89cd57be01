/**
 * `src/core/session/vault.ts`: changes to a tab's tokens, and their effect on everything that refers to the tokens: revisions,
 * and the passes of requests.
 */
import { STORE_FAULT } from './budget.ts'
import {
  CURRENT,
  FOREIGN,
  IDLE,
  isWaiting,
  NOTHING,
  OLDER,
  REVIVED,
  type Request,
  SETTLED,
  sessionOf,
  type Tab,
  type TokenSet,
  UNOWNED,
  type World,
} from './state.ts'
import type { Stepper } from './stepper.ts'

/** `#revision++`: reads and attempts that began earlier are outdated. */
export function bumpRevision(tab: Tab) {
  for (const attempt of tab.attempts) attempt.current = attempt.readCurrent = false
  tab.storeRead.current = false
}

function eachPass(world: World, tab: number, change: (request: Request) => void) {
  for (const request of world.requests) {
    if (request.tab === tab && request.stage !== IDLE && request.stage !== SETTLED) change(request)
  }
}

function clearTokens(world: World, number: number) {
  const tab = world.tabs[number]!
  eachPass(world, number, (request) => {
    if (request.pass === REVIVED) request.pass = FOREIGN
  })
  tab.tokens = NOTHING
  tab.hasLastToken = tab.knownInvalid = false
  bumpRevision(tab)
}

function startEpoch(tab: Tab) {
  tab.storeRead.sameEpoch = false
  for (const attempt of tab.attempts) attempt.sameEpoch = false
}

/** `replace`: a refresh of the current session. */
export function replaceTokens(world: World, number: number, tokens: TokenSet) {
  const tab = world.tabs[number]!
  eachPass(world, number, (request) => {
    // A waiting request has no pass yet. It belongs to the epoch, not to a token set.
    if (request.pass === CURRENT && !isWaiting(request)) request.pass = OLDER
  })
  tab.tokens = tokens
  tab.hasLastToken = tab.knownInvalid = false
  bumpRevision(tab)
}

/** `start`: another sign-in, or an expired session that is restored. */
export function beginSession(stepper: Stepper, world: World, number: number, tokens: TokenSet) {
  const tab = world.tabs[number]!
  const returns = tab.tokens === NOTHING && tab.expiredSession === sessionOf(tokens)
  clearTokens(world, number)
  eachPass(world, number, (request) => {
    if (request.pass !== UNOWNED && request.pass !== FOREIGN) request.pass = returns ? REVIVED : FOREIGN
  })
  startEpoch(tab)
  tab.expiredSession = 0
  tab.hasSignedOut = false
  tab.tokens = tokens
  // After a store fault, a missing record looks like one that a sign-out removed, until it is written again.
  const isBack = (tab.endedSessions & (1 << sessionOf(tokens))) !== 0
  if (isBack && !(world.faults & STORE_FAULT))
    stepper.violate('I5: a session returned to a tab in which it had ended')
}

/** `expire`: the session expired. */
export function expireTokens(world: World, number: number) {
  const tab = world.tabs[number]!
  const session = sessionOf(tab.tokens)
  clearTokens(world, number)
  tab.expiredSession = session
}

/** `end`: the user signed out, here or in another tab. */
export function endSession(world: World, number: number) {
  const tab = world.tabs[number]!
  tab.endedSessions |= 1 << (tab.tokens === NOTHING ? tab.expiredSession : sessionOf(tab.tokens))
  tab.endedSessions &= ~1
  clearTokens(world, number)
  eachPass(world, number, (request) => {
    if (request.pass !== UNOWNED) request.pass = FOREIGN
  })
  startEpoch(tab)
  tab.expiredSession = 0
}

/** `mergeRecord`: merges newer tokens. Returns whether they belong to the current session. */
export function mergeTokens(stepper: Stepper, world: World, number: number, found: TokenSet): boolean {
  const tab = world.tabs[number]!
  const isSameSession = tab.tokens !== NOTHING && sessionOf(tab.tokens) === sessionOf(found)
  if (isSameSession) replaceTokens(world, number, found)
  else beginSession(stepper, world, number, found)
  return isSameSession
}
