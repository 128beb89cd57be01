import {
  endRemoved,
  enterAuthenticated,
  enterTerminal,
  expire,
  isAwaited,
  receiveTokens,
  suspend,
} from './chart.ts'
import { freeAttempt } from './encoding.ts'
import { isSessionRemoved, mergeFound } from './merge.ts'
import { waitsForReason } from './messages.ts'
import { persist } from './persist.ts'
import {
  AMBIGUOUS,
  BACKING_OFF,
  CHART,
  COOLING_DOWN,
  isNewer,
  isReading,
  lagOf,
  NOTHING,
  OPEN,
  REMOVED,
  REREAD,
  type RefreshAttempt,
  sessionOf,
  type TokenSet,
  type World,
} from './state.ts'
import type { Stepper } from './stepper.ts'
import { readStore, startRead } from './store.ts'
import { beginSession, replaceTokens } from './vault.ts'

/** The tokens arrive: `#commit`, `commit` and `persist` run in one go, without an `await`. */
export function grantedSteps(stepper: Stepper, tab: number, index: number) {
  const { before } = stepper
  const { tokens, timedOut, current } = before.tabs[tab]!.attempts[index]!
  if (!current && stepper.rules.compareAndSet) {
    const world = receiveGranted(stepper, tab, index)
    const { sameEpoch } = world.tabs[tab]!.attempts[index]!
    const hasEnded = !sameEpoch || world.tabs[tab]!.tokens === NOTHING
    if (stepper.rules.revokes && hasEnded) world.sessions[sessionOf(tokens) - 1]!.revoking = true
    freeAttempt(world.tabs[tab]!.attempts[index]!)
    stepper.emit('{tab} gets {tokens}, too late: its vault has changed, and they are dropped', tab, tokens)
    return
  }
  const words = timedOut
    ? '{tab} gets {tokens} after its deadline, and commits them'
    : '{tab} gets {tokens}, commits and stores them'
  persist(stepper, tab, tokens, () => commit(stepper, tab, index, tokens), words)
}

function receiveGranted(stepper: Stepper, tab: number, index: number): World {
  const world = stepper.draft()
  const { tokens } = world.tabs[tab]!.attempts[index]!
  world.sessions[sessionOf(tokens) - 1]!.answered |= 2 << lagOf(tokens)
  return world
}

function commit(stepper: Stepper, tab: number, index: number, tokens: TokenSet): World {
  const world = receiveGranted(stepper, tab, index)
  const at = world.tabs[tab]!
  const awaited = isAwaited(at, at.attempts[index]!)
  if (sessionOf(at.tokens) !== sessionOf(tokens) || isNewer(at.tokens, tokens)) {
    stepper.violate('I5: the result of a refresh reached the vault of another epoch')
  }
  if (at.tokens === NOTHING) beginSession(stepper, world, tab, tokens)
  else replaceTokens(world, tab, tokens)
  freeAttempt(at.attempts[index]!)
  if (awaited) enterAuthenticated(stepper, world, tab)
  else receiveTokens(stepper, world, tab, true, true)
  return world
}

/**
 * The server refuses the refresh token: `reload` checks the store, because another tab may have refreshed first.
 */
export function refusedSteps(stepper: Stepper, tab: number, index: number) {
  const { timedOut } = stepper.before.tabs[tab]!.attempts[index]!
  const world = stepper.draft()
  const attempt = world.tabs[tab]!.attempts[index]!
  if (timedOut) {
    freeAttempt(attempt)
    stepper.emit('{tab} is refused after its deadline: no state waits for it', tab)
    return
  }
  if (isReading(stepper.before.tabs[tab]!)) return
  attempt.stage = REREAD
  attempt.readCurrent = true
  attempt.tokens = readStore(stepper, world, tab)
  stepper.emit('{tab} is refused, and reads the store again', tab)
}

export function actOnReread(stepper: Stepper, tab: number, index: number) {
  if (mergeFound(stepper, tab, index, '{tab} merges {tokens}: another tab refreshed first')) return
  const { tokens: found, readCurrent } = stepper.before.tabs[tab]!.attempts[index]!
  if (found === REMOVED && waitsForReason(stepper, tab)) return
  const world = stepper.draft()
  const at = world.tabs[tab]!
  const awaited = isAwaited(at, at.attempts[index]!)
  freeAttempt(at.attempts[index]!)
  if (isSessionRemoved(stepper, tab, found, readCurrent)) {
    endRemoved(stepper, world, tab)
    stepper.emit('{tab} finds its record gone, and logs out', tab)
  } else if (awaited && at.chartState === OPEN) {
    enterTerminal(stepper, world, tab)
    stepper.emit('{tab} goes on with its last access token', tab)
  } else if (awaited) {
    expire(stepper, world, tab)
    stepper.emit('{tab}: the session has expired', tab)
  } else stepper.emit('{tab} was refused, and no state waits for it', tab)
}

/** A 5xx answer. The model does not count attempts: each failure may be the last one that is allowed. */
export function failedSteps(stepper: Stepper, tab: number, index: number) {
  for (const next of [BACKING_OFF, COOLING_DOWN]) {
    const world = stepper.draft()
    const at = world.tabs[tab]!
    const awaited = isAwaited(at, at.attempts[index]!)
    freeAttempt(at.attempts[index]!)
    if (!awaited) {
      stepper.emit('{tab} receives a failure that no state waits for', tab)
      return
    }
    if (!stepper.rules.toleratesFailures) {
      expire(stepper, world, tab)
      stepper.emit('{tab} takes a failure (5xx) for the end of the session', tab)
      return
    }
    if (next === BACKING_OFF) at.phase = next
    else suspend(world, tab)
    stepper.emit(
      next === BACKING_OFF
        ? '{tab}: the refresh failed, and will be attempted again'
        : '{tab}: the refresh failed, and no attempt is left: held requests are rejected',
      tab,
    )
  }
}

export function lostSteps(stepper: Stepper, tab: number, index: number) {
  endAmbiguous(
    stepper,
    tab,
    index,
    (attempt) => freeAttempt(attempt),
    (words) => stepper.emit(`{tab}: no answer came: ${words}`, tab),
  )
}

/** The refresh token was sent, and no answer came: reads the store first (`ambiguous`), or suspends refreshing. */
export function endAmbiguous(
  stepper: Stepper,
  tab: number,
  index: number,
  close: (attempt: RefreshAttempt, world: World) => void,
  emit: (words: string) => void,
) {
  const { before } = stepper
  if (isReading(before.tabs[tab]!)) return
  for (const next of [AMBIGUOUS, COOLING_DOWN]) {
    const world = stepper.draft()
    const at = world.tabs[tab]!
    const awaited = isAwaited(at, at.attempts[index]!)
    close(at.attempts[index]!, world)
    if (!awaited) {
      emit('no state waits for it')
      return
    }
    if (next === COOLING_DOWN) {
      suspend(world, tab)
      emit('no attempt is left, and held requests are rejected')
      continue
    }
    at.phase = AMBIGUOUS
    startRead(stepper, world, tab, CHART)
    emit('the store is read again')
  }
}
