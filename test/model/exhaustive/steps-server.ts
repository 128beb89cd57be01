/** The token endpoint: rotation, reuse detection, and a grace of one predecessor where the circumstances have it. */

import { ANSWER_LATE, ANSWER_LOST } from './budget.ts'
import { excusesLoss, isAtStake } from './invariants.ts'
import { of, type Play } from './play.ts'
import {
  ALIVE,
  DEAD,
  FAILED,
  FREE,
  GONE,
  GRANTED,
  LOST,
  lagOf,
  NONE_DEAD,
  NOTHING,
  REFUSED,
  SENT,
  sessionOf,
  type TokenSet,
  tokenSet,
  type World,
} from './state.ts'
import { endUncertain } from './steps-answers.ts'

export function serverSteps(play: Play) {
  const { tabs, budget, sessions } = play.before
  for (let tab = 0; tab < 2; tab++) {
    for (let index = 0; index < tabs[tab]!.exchanges.length; index++) {
      const { stage, late, orphan } = tabs[tab]!.exchanges[index]!
      if (stage === SENT) actSteps(play, tab, index)
      if (budget.network > 0 && !late && !orphan && (stage === SENT || stage === GRANTED)) {
        timeoutSteps(play, tab, index)
      }
    }
  }
  for (let number = 1; number <= 2; number++) {
    if (!sessions[number - 1]!.revoking) continue
    const world = play.begin()
    const session = world.sessions[number - 1]!
    if (isAtStake(world, number)) play.breaks('K: a session was revoked that nobody had ended')
    session.revoking = false
    session.life = DEAD
    play.end('the server revokes what was signed out')
  }
}

function actSteps(play: Play, tab: number, index: number) {
  const { tokens, orphan } = play.before.tabs[tab]!.exchanges[index]!
  const world = play.begin()
  const words = present(play, world, tab, index)
  play.end(`the server ${words}`, tab, tokens)
  if (play.before.budget.network === 0 || orphan) return

  const failed = play.begin()
  failed.budget.network--
  answer(failed, tab, index, FAILED)
  play.mayEnd('the server fails (5xx), and does nothing', tab)

  const unsent = play.begin()
  unsent.budget.network--
  answer(unsent, tab, index, LOST)
  play.mayEnd('the network breaks before the server gets {tokens}', tab, tokens)

  const lost = play.begin()
  lost.budget.network--
  const acted = present(play, lost, tab, index)
  answer(lost, tab, index, LOST)
  lost.excuses |= ANSWER_LOST
  play.mayEnd(`the server ${acted}, and the answer is lost`, tab, tokens)
}

function answer(world: World, tab: number, index: number, stage: number, tokens: TokenSet = NOTHING) {
  const exchange = world.tabs[tab]!.exchanges[index]!
  exchange.stage = stage
  exchange.tokens = tokens
}

/** The server gets a refresh token. */
function present(play: Play, world: World, tab: number, index: number): string {
  const { tokens } = world.tabs[tab]!.exchanges[index]!
  const session = of(world, tokens)
  answer(world, tab, index, REFUSED)
  if (session.life !== ALIVE) return 'refuses {tokens}: the session is dead'
  if (lagOf(tokens) === 0) {
    rotate(world, sessionOf(tokens))
    answer(world, tab, index, GRANTED, tokenSet(sessionOf(tokens), 0))
    return 'rotates {tokens}'
  }
  if (lagOf(tokens) === 1 && play.rules.grace) {
    answer(world, tab, index, GRANTED, tokenSet(sessionOf(tokens), 0))
    return 'takes {tokens} within its grace, and gives the current tokens'
  }
  if (!excusesLoss(world, play.rules.grace) && isAtStake(world, sessionOf(tokens))) {
    play.breaks('K: a session was lost to a race: its refresh token was used twice')
  }
  session.life = DEAD
  return 'sees {tokens} a second time, and revokes the session'
}

/** From now on everything at hand is one rotation older. */
function rotate(world: World, number: number) {
  const age = (tokens: TokenSet) => (tokens !== GONE && sessionOf(tokens) === number ? tokens + 1 : tokens)
  const session = world.sessions[number - 1]!
  if (session.deadFrom !== NONE_DEAD) session.deadFrom++
  session.answered <<= 1
  world.stored = age(world.stored)
  for (const tab of world.tabs) {
    tab.tokens = age(tab.tokens)
    for (const exchange of tab.exchanges) if (exchange.stage !== FREE) exchange.tokens = age(exchange.tokens)
    tab.look.tokens = age(tab.look.tokens)
  }
}

/** `timeouts.refresh`: the try is over, the lock is let go, and the answer may still come (`timed.ts`, `onLate`). */
function timeoutSteps(play: Play, tab: number, index: number) {
  endUncertain(
    play,
    tab,
    index,
    (exchange, world) => {
      world.budget.network--
      world.excuses |= ANSWER_LATE
      exchange.late = true
      exchange.locked = false
    },
    (words) => play.mayEnd(`{tab}: the deadline for the answer passes: ${words}`, tab),
  )
}
