/**
 * `src/core/exchange.ts`: `locked`, `attempt`, `request`, `commit` and `keep`, cut at every `await`. One step here is
 * what runs there from one answer to the next.
 */

import { adoptFound, heedsGone } from './adopting.ts'
import { LOCK_FAULT } from './budget.ts'
import { endedElsewhere, request } from './chart.ts'
import { freeExchange } from './encoding.ts'
import { checkPresenting } from './invariants.ts'
import type { Play } from './play.ts'
import {
  BACKING_OFF,
  FAILED,
  GRANTED,
  isReading,
  LOST,
  NOTHING,
  OPEN,
  READ,
  REFUSED,
  REREAD,
  SENT,
  SUSPENDED,
  WAITING,
  type World,
} from './state.ts'
import { actOnReread, failedSteps, grantedSteps, lostSteps, refusedSteps } from './steps-answers.ts'
import { readStore, spendStore } from './store.ts'

export function exchangeSteps(play: Play) {
  const { tabs } = play.before
  for (let tab = 0; tab < 2; tab++) {
    const { exchanges, exchange, place } = tabs[tab]!
    for (let index = 0; index < exchanges.length; index++) {
      const { stage, orphan } = exchanges[index]!
      if (orphan) orphanSteps(play, tab, index)
      else if (stage === WAITING) waitingSteps(play, tab, index)
      else if (stage === READ) actOnRead(play, tab, index)
      else if (stage === GRANTED) grantedSteps(play, tab, index)
      else if (stage === REFUSED) refusedSteps(play, tab, index)
      else if (stage === REREAD) actOnReread(play, tab, index)
      else if (stage === FAILED) failedSteps(play, tab, index)
      else if (stage === LOST) lostSteps(play, tab, index)
    }
    if (place === OPEN || place === OPEN + 1) {
      if (exchange === BACKING_OFF) {
        request(play, play.begin(), tab)
        play.end('{tab}: the backoff is over: another try', tab)
      } else if (exchange === SUSPENDED) {
        request(play, play.begin(), tab)
        play.end('{tab}: the cool-down is over: another try', tab)
      }
    }
  }
}

/** An answer to a tab that is gone. */
function orphanSteps(play: Play, tab: number, index: number) {
  const { stage } = play.before.tabs[tab]!.exchanges[index]!
  if (stage === SENT) return
  freeExchange(play.begin().tabs[tab]!.exchanges[index]!)
  play.end('the answer to the crashed {tab} finds nobody', tab)
}

/** `coordinator.exclusive` runs the task: `adoptNewer` reads the store. */
function waitingSteps(play: Play, tab: number, index: number) {
  const { tabs, budget } = play.before
  if (isReading(tabs[tab]!)) return
  const isFree = !tabs.some(({ exchanges }) => exchanges.some(({ locked }) => locked))
  if (!play.rules.lock || isFree) {
    look(play, play.begin(), tab, index, play.rules.lock)
    play.end(play.rules.lock ? '{tab} gets the lock, and reads the store' : '{tab} reads the store', tab)
    if (budget.store > 0) {
      const world = play.begin()
      look(play, world, tab, index, play.rules.lock, false)
      spendStore(world)
      play.mayEnd('{tab} gets the lock, and the store does not answer', tab)
    }
  }
  if (play.rules.lock && budget.locks > 0) {
    const world = play.begin()
    look(play, world, tab, index, false)
    world.budget.locks--
    world.excuses |= LOCK_FAULT
    play.mayEnd('{tab} waits too long for the lock, goes on without it, and reads the store', tab)
  }
}

function look(play: Play, world: World, tab: number, index: number, locked: boolean, answered = true) {
  const exchange = world.tabs[tab]!.exchanges[index]!
  exchange.stage = READ
  exchange.locked = locked
  exchange.readCurrent = true
  exchange.tokens = play.rules.rereadInLock && answered ? readStore(play, world, tab) : NOTHING
}

/** `attempt`, after its first `await`. */
function actOnRead(play: Play, tab: number, index: number) {
  if (adoptFound(play, tab, index, '{tab} takes over {tokens} from the store, without asking the server'))
    return
  const { current, readCurrent, tokens: found } = play.before.tabs[tab]!.exchanges[index]!
  const world = play.begin()
  const exchange = world.tabs[tab]!.exchanges[index]!
  if (heedsGone(play, tab, found, readCurrent)) {
    freeExchange(exchange)
    endedElsewhere(play, world, tab)
    play.end('{tab} finds its record gone, and logs out', tab)
  } else if (!current) {
    freeExchange(exchange)
    play.end('{tab} drops an exchange that is out of date', tab)
  } else {
    const { tokens } = world.tabs[tab]!
    exchange.stage = SENT
    exchange.tokens = tokens
    exchange.readCurrent = false
    checkPresenting(play, world, tab, tokens)
    play.end('{tab} presents the refresh token of {tokens}', tab, tokens)
  }
}
