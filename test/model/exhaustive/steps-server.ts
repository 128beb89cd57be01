/** The token endpoint: rotation, reuse detection, and, if the circumstances say so, a grace of one previous token. */
import { ANSWER_LATE, ANSWER_LOST } from './budget.ts'
import { excusesLoss, isAtStake } from './invariants.ts'
import { isExpiry } from './messages.ts'
import {
  ACTIVE,
  ENDED,
  FAILED,
  FREE,
  GRANTED,
  LOST,
  lagOf,
  NONE_INVALID,
  NOTHING,
  REFUSED,
  REMOVED,
  SENT,
  sessionOf,
  type TokenSet,
  tokenSet,
  type World,
} from './state.ts'
import { type Stepper, serverSession } from './stepper.ts'
import { endAmbiguous } from './steps-answers.ts'

export function serverSteps(stepper: Stepper) {
  const { tabs, budget, sessions } = stepper.before
  for (let tab = 0; tab < 2; tab++) {
    for (let index = 0; index < tabs[tab]!.attempts.length; index++) {
      const { stage, timedOut, orphan } = tabs[tab]!.attempts[index]!
      if (stage === SENT) actSteps(stepper, tab, index)
      if (budget.network > 0 && !timedOut && !orphan && (stage === SENT || stage === GRANTED)) {
        timeoutSteps(stepper, tab, index)
      }
    }
  }
  for (let number = 1; number <= 2; number++) {
    if (!sessions[number - 1]!.revoking) continue
    const world = stepper.draft()
    const session = world.sessions[number - 1]!
    if (isAtStake(world, number)) stepper.violate('K: a session was revoked without a sign-out')
    session.revoking = false
    session.status = ENDED
    stepper.emit('the server revokes the session that was signed out')
  }
}

function actSteps(stepper: Stepper, tab: number, index: number) {
  const { tokens, orphan } = stepper.before.tabs[tab]!.attempts[index]!
  const world = stepper.draft()
  const words = present(stepper, world, tab, index)
  stepper.emit(`the server ${words}`, tab, tokens)
  if (stepper.before.budget.network === 0 || orphan) return

  const failed = stepper.draft()
  failed.budget.network--
  answer(failed, tab, index, FAILED)
  stepper.emitOptional('the server fails (5xx), and does nothing', tab)

  const unsent = stepper.draft()
  unsent.budget.network--
  answer(unsent, tab, index, LOST)
  stepper.emitOptional('the network breaks before the server gets {tokens}', tab, tokens)

  const lost = stepper.draft()
  lost.budget.network--
  const acted = present(stepper, lost, tab, index)
  answer(lost, tab, index, LOST)
  lost.faults |= ANSWER_LOST
  stepper.emitOptional(`the server ${acted}, and the answer is lost`, tab, tokens)
}

function answer(world: World, tab: number, index: number, stage: number, tokens: TokenSet = NOTHING) {
  const attempt = world.tabs[tab]!.attempts[index]!
  attempt.stage = stage
  attempt.tokens = tokens
}

/** The server receives a refresh token. Returns what it does, in words. */
function present(stepper: Stepper, world: World, tab: number, index: number): string {
  const { tokens } = world.tabs[tab]!.attempts[index]!
  const session = serverSession(world, tokens)
  answer(world, tab, index, REFUSED)
  if (session.status !== ACTIVE) return 'refuses {tokens}: the session has ended'
  if (lagOf(tokens) === 0) {
    rotate(world, sessionOf(tokens))
    answer(world, tab, index, GRANTED, tokenSet(sessionOf(tokens), 0))
    return 'rotates {tokens}'
  }
  if (lagOf(tokens) === 1 && stepper.rules.grace) {
    answer(world, tab, index, GRANTED, tokenSet(sessionOf(tokens), 0))
    return 'takes {tokens} within its grace, and gives the current tokens'
  }
  if (!excusesLoss(world, stepper.rules.grace) && isAtStake(world, sessionOf(tokens))) {
    stepper.violate('K: a session was lost to a race: its refresh token was used twice')
  }
  session.status = ENDED
  return 'sees {tokens} a second time, and revokes the session'
}

/** Rotation: every token set of the session becomes one rotation older. */
function rotate(world: World, number: number) {
  const age = (tokens: TokenSet) => (tokens !== REMOVED && sessionOf(tokens) === number ? tokens + 1 : tokens)
  const session = world.sessions[number - 1]!
  if (session.invalidFrom !== NONE_INVALID) session.invalidFrom++
  session.answered <<= 1
  world.stored = age(world.stored)
  for (const tab of world.tabs) {
    tab.tokens = age(tab.tokens)
    for (const attempt of tab.attempts) if (attempt.stage !== FREE) attempt.tokens = age(attempt.tokens)
    tab.storeRead.tokens = age(tab.storeRead.tokens)
    tab.announcedExpiry = age(tab.announcedExpiry)
    tab.inbox.forEach((message, index) => {
      if (isExpiry(message)) tab.inbox[index] = age(message)
    })
  }
}

/**
 * `timeouts.refresh`: the attempt ends and releases the lock, and the answer may still arrive (`platform/bounded-work.ts`, `late`).
 */
function timeoutSteps(stepper: Stepper, tab: number, index: number) {
  endAmbiguous(
    stepper,
    tab,
    index,
    (attempt, world) => {
      world.budget.network--
      world.faults |= ANSWER_LATE
      attempt.timedOut = true
      attempt.locked = false
    },
    (words) => stepper.emitOptional(`{tab}: the deadline for the answer passes: ${words}`, tab),
  )
}
