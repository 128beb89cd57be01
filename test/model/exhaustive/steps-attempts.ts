/**
 * `src/core/session/refresh.ts`: `run`, `#attempt`, `#request` and `#commit`, cut at every `await`. One step is the
 * code that runs from one `await` to the next.
 */
import { LOCK_FAULT } from './budget.ts'
import { endRemoved, requestTokens } from './chart.ts'
import { freeAttempt } from './encoding.ts'
import { checkPresenting } from './invariants.ts'
import { isSessionRemoved, mergeFound } from './merge.ts'
import { waitsForReason } from './messages.ts'
import {
  BACKING_OFF,
  CLOSED,
  COOLING_DOWN,
  FAILED,
  GRANTED,
  isReading,
  LOST,
  NOTHING,
  OPEN,
  READ,
  REFUSED,
  REMOVED,
  REREAD,
  SENT,
  WAITING,
  type World,
} from './state.ts'
import type { Stepper } from './stepper.ts'
import { actOnReread, failedSteps, grantedSteps, lostSteps, refusedSteps } from './steps-answers.ts'
import { countStoreFault, readStore } from './store.ts'

export function attemptSteps(stepper: Stepper) {
  const { tabs } = stepper.before
  for (let tab = 0; tab < 2; tab++) {
    const { attempts, phase, chartState } = tabs[tab]!
    for (let index = 0; index < attempts.length; index++) {
      const { stage, orphan } = attempts[index]!
      if (orphan) orphanSteps(stepper, tab, index)
      else if (stage === WAITING) waitingSteps(stepper, tab, index)
      else if (stage === READ) actOnRead(stepper, tab, index)
      else if (stage === GRANTED) grantedSteps(stepper, tab, index)
      else if (stage === REFUSED) refusedSteps(stepper, tab, index)
      else if (stage === REREAD) actOnReread(stepper, tab, index)
      else if (stage === FAILED) failedSteps(stepper, tab, index)
      else if (stage === LOST) lostSteps(stepper, tab, index)
    }
    if (chartState === OPEN || chartState === CLOSED) {
      if (phase === BACKING_OFF) {
        requestTokens(stepper, stepper.draft(), tab)
        stepper.emit('{tab}: the backoff ends: another attempt', tab)
      } else if (phase === COOLING_DOWN) {
        requestTokens(stepper, stepper.draft(), tab)
        stepper.emit('{tab}: the cool-down ends: another attempt', tab)
      }
    }
  }
}

/** An answer to a tab that has crashed. */
function orphanSteps(stepper: Stepper, tab: number, index: number) {
  const { stage } = stepper.before.tabs[tab]!.attempts[index]!
  if (stage === SENT) return
  freeAttempt(stepper.draft().tabs[tab]!.attempts[index]!)
  stepper.emit('the answer to the crashed {tab} is dropped', tab)
}

/** `coordinator.exclusive` runs the task, or fails: either way `reload` reads the store, unless the attempt is out of date. */
function waitingSteps(stepper: Stepper, tab: number, index: number) {
  const { tabs, budget } = stepper.before
  if (isReading(tabs[tab]!)) return
  const isFree = !tabs.some(({ attempts }) => attempts.some(({ locked }) => locked))
  if (!tabs[tab]!.attempts[index]!.current) {
    if (stepper.rules.lock && !isFree) return
    freeAttempt(stepper.draft().tabs[tab]!.attempts[index]!)
    stepper.emit('{tab} gets the lock, and drops a refresh that is out of date', tab)
    return
  }
  if (!stepper.rules.lock || isFree) {
    readInLock(stepper, stepper.draft(), tab, index, stepper.rules.lock)
    stepper.emit(
      stepper.rules.lock ? '{tab} gets the lock, and reads the store' : '{tab} reads the store',
      tab,
    )
    if (budget.store > 0) {
      const world = stepper.draft()
      readInLock(stepper, world, tab, index, stepper.rules.lock, false)
      countStoreFault(world)
      stepper.emitOptional('{tab} gets the lock, and the store does not answer', tab)
    }
  }
  if (stepper.rules.lock && budget.locks > 0) {
    const world = stepper.draft()
    readInLock(stepper, world, tab, index, false)
    world.budget.locks--
    world.faults |= LOCK_FAULT
    stepper.emitOptional('{tab} waits too long for the lock, goes on without it, and reads the store', tab)
  }
}

function readInLock(
  stepper: Stepper,
  world: World,
  tab: number,
  index: number,
  locked: boolean,
  answered = true,
) {
  const attempt = world.tabs[tab]!.attempts[index]!
  attempt.stage = READ
  attempt.locked = locked
  attempt.readCurrent = true
  attempt.tokens = stepper.rules.rereadInLock && answered ? readStore(stepper, world, tab) : NOTHING
}

/** `attempt` after its first `await`: the store has answered. */
function actOnRead(stepper: Stepper, tab: number, index: number) {
  if (mergeFound(stepper, tab, index, '{tab} merges {tokens} from the store, without a refresh')) return
  const { current, readCurrent, tokens: found } = stepper.before.tabs[tab]!.attempts[index]!
  if (found === REMOVED && waitsForReason(stepper, tab)) return
  const world = stepper.draft()
  const attempt = world.tabs[tab]!.attempts[index]!
  if (isSessionRemoved(stepper, tab, found, readCurrent)) {
    freeAttempt(attempt)
    endRemoved(stepper, world, tab)
    stepper.emit('{tab} finds its record gone, and logs out', tab)
  } else if (!current) {
    freeAttempt(attempt)
    stepper.emit('{tab} drops a refresh that is out of date', tab)
  } else {
    const { tokens } = world.tabs[tab]!
    attempt.stage = SENT
    attempt.tokens = tokens
    attempt.readCurrent = false
    checkPresenting(stepper, world, tab, tokens)
    stepper.emit('{tab} presents the refresh token of {tokens}', tab, tokens)
  }
}
