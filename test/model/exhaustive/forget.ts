import { freeExchange, freeLook } from './encoding.ts'
import { ended } from './messages.ts'
import type { Rules } from './rules.ts'
import {
  ALIVE,
  CURRENT,
  DEAD,
  type Exchange,
  FOREIGN,
  FREE,
  GONE,
  IN_FLIGHT,
  isWorthAdopting,
  type Look,
  lagOf,
  NONE_DEAD,
  NOT_BEGUN,
  NOTHING,
  REFUSED,
  REPLAYED,
  SENT,
  SETTLED,
  STRAY,
  SYNC,
  sessionOf,
  type Tab,
  type World,
} from './state.ts'

/** Forgets what can make no difference any more, so that worlds which differ in nothing else are one. */
export function forget(world: World, { generationCheck }: Rules) {
  forgetRequests(world, generationCheck)
  for (const tab of world.tabs) {
    for (const exchange of tab.exchanges) if (isPointless(exchange)) freeExchange(exchange)
    if ((tab.look.by === SYNC || tab.look.by === STRAY) && !mayMatter(tab, tab.look)) freeLook(tab.look)
  }
  for (let number = 1; number <= 2; number++) {
    const session = world.sessions[number - 1]!
    if (session.life === NOT_BEGUN) continue
    const oldest = oldestLag(world, number)
    if (oldest < 0) {
      // Nobody has anything of it: it cannot come back.
      session.life = DEAD
      session.deadFrom = NONE_DEAD
      session.answered = 0
      session.signedOut = session.revoking = false
      for (const tab of world.tabs) tab.left &= ~(1 << number)
    } else {
      if (session.deadFrom > oldest || session.life !== ALIVE) session.deadFrom = NONE_DEAD
      session.answered &= (2 << oldest) - 1
    }
  }
}

/** Answers of which nothing depends any more. */
function forgetRequests({ requests }: World, generationCheck: boolean) {
  for (const request of requests) {
    const { stage, pass } = request
    const isCallers = stage === IN_FLIGHT ? pass === FOREIGN : stage === REPLAYED && pass !== CURRENT
    if (isCallers && generationCheck) {
      request.stage = SETTLED
      request.pass = CURRENT
    }
  }
}

const isPointless = ({ stage, late, orphan }: Exchange) =>
  (orphan && stage !== SENT) || (late && stage === REFUSED)

/** A tab's tokens only get newer; and where it has expired meanwhile, it looks again. */
const mayMatter = (tab: Tab, { by, tokens, current, sameEpoch }: Look) =>
  (by === SYNC && sameEpoch) ||
  (tokens === GONE ? current && tab.tokens !== NOTHING : isWorthAdopting(tab, tokens, current))

/** The largest lag that anybody holds of a session; -1: nobody holds anything of it. */
function oldestLag({ stored, tabs }: World, number: number): number {
  let oldest = -1
  const see = (tokens: number) => {
    if (tokens !== GONE && sessionOf(tokens) === number && lagOf(tokens) > oldest) oldest = lagOf(tokens)
  }
  see(stored)
  for (const tab of tabs) {
    see(tab.tokens)
    if (tab.erased === number && oldest < 0) oldest = 0
    for (const { stage, tokens } of tab.exchanges) if (stage !== FREE) see(tokens)
    see(tab.look.tokens)
    if (tab.inbox.includes(ended(number)) && oldest < 0) oldest = 0
  }
  return oldest
}
