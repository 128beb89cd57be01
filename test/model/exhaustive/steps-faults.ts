/** Faults other than those of the network and the store: a lost lock, and a crash of a tab. */
import { ANSWER_LOST, LOCK_FAULT } from './budget.ts'
import { freeAttempt } from './encoding.ts'
import { CHART, CURRENT, GRANTED, IDLE, NOTHING, REQUESTING, RESTORING, SENT, SETTLED } from './state.ts'
import type { Stepper } from './stepper.ts'
import { startRead } from './store.ts'

export function faultSteps(stepper: Stepper) {
  const { budget, tabs } = stepper.before
  for (let tab = 0; tab < 2; tab++) {
    if (budget.locks > 0) {
      for (let index = 0; index < tabs[tab]!.attempts.length; index++) {
        if (!tabs[tab]!.attempts[index]!.locked) continue
        const world = stepper.draft()
        world.budget.locks--
        world.faults |= LOCK_FAULT
        world.tabs[tab]!.attempts[index]!.locked = false
        stepper.emitOptional('the lock of {tab} is stolen', tab)
      }
    }
    if (budget.crashes > 0) crash(stepper, tab)
  }
}

/** The tab crashes and is reloaded. Of its state, only requests in transit to the server remain. */
function crash(stepper: Stepper, number: number) {
  const world = stepper.draft()
  const tab = world.tabs[number]!
  world.budget.crashes--
  for (const attempt of tab.attempts) {
    const { stage, tokens } = attempt
    freeAttempt(attempt)
    if (stage === SENT || stage === GRANTED) world.faults |= ANSWER_LOST
    if (stage !== SENT) continue
    attempt.stage = stage
    attempt.tokens = tokens
    attempt.orphan = true
  }
  for (const request of world.requests) {
    if (request.tab !== number || request.stage === IDLE) continue
    request.stage = SETTLED
    request.pass = CURRENT
  }
  tab.inbox.length = 0
  tab.announcedExpiry = NOTHING
  tab.tokens = NOTHING
  tab.expiredSession = tab.endedSessions = 0
  tab.hasLastToken = tab.knownInvalid = tab.knowsRecord = tab.hasSeenRecord = tab.hasSignedOut = false
  tab.chartState = RESTORING
  tab.phase = REQUESTING
  startRead(stepper, world, number, CHART)
  stepper.emitOptional('{tab} crashes and is reloaded: it reads the store', number)
}
