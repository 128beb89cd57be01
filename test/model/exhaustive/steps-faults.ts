/** Faults that are not the network's or the store's: a lock that is lost, and a tab that crashes. */
import { ANSWER_LOST, LOCK_FAULT } from './budget.ts'
import { freeExchange } from './encoding.ts'
import type { Play } from './play.ts'
import { CHART, CURRENT, GRANTED, IDLE, NOTHING, REQUESTING, RESTORING, SENT, SETTLED } from './state.ts'
import { lookInto } from './store.ts'

export function faultSteps(play: Play) {
  const { budget, tabs } = play.before
  for (let tab = 0; tab < 2; tab++) {
    if (budget.locks > 0) {
      for (let index = 0; index < tabs[tab]!.exchanges.length; index++) {
        if (!tabs[tab]!.exchanges[index]!.locked) continue
        const world = play.begin()
        world.budget.locks--
        world.excuses |= LOCK_FAULT
        world.tabs[tab]!.exchanges[index]!.locked = false
        play.mayEnd('the lock of {tab} is stolen', tab)
      }
    }
    if (budget.crashes > 0) crash(play, tab)
  }
}

/** The tab is loaded again: nothing is left of it but what it asked of the server. */
function crash(play: Play, number: number) {
  const world = play.begin()
  const tab = world.tabs[number]!
  world.budget.crashes--
  for (const exchange of tab.exchanges) {
    const { stage, tokens } = exchange
    freeExchange(exchange)
    if (stage === SENT || stage === GRANTED) world.excuses |= ANSWER_LOST
    if (stage !== SENT) continue
    exchange.stage = stage
    exchange.tokens = tokens
    exchange.orphan = true
  }
  for (const request of world.requests) {
    if (request.tab !== number || request.stage === IDLE) continue
    request.stage = SETTLED
    request.pass = CURRENT
  }
  tab.inbox.length = 0
  tab.tokens = NOTHING
  tab.erased = tab.left = 0
  tab.last = tab.knownDead = tab.knowsRecord = tab.hasSeenRecord = tab.departed = false
  tab.place = RESTORING
  tab.exchange = REQUESTING
  lookInto(play, world, number, CHART)
  play.mayEnd('{tab} crashes and is loaded again: it reads the store', number)
}
