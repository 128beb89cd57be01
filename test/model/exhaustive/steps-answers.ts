import { adoptFound, heedsGone } from './adopting.ts'
import { authenticated, endedElsewhere, expire, hearsOfTokens, isHeard, suspend, terminal } from './chart.ts'
import { freeExchange } from './encoding.ts'
import { keep } from './keep.ts'
import type { Play } from './play.ts'
import {
  BACKING_OFF,
  CHART,
  type Exchange,
  isNewer,
  isReading,
  lagOf,
  NOTHING,
  OPEN,
  REREAD,
  SUSPENDED,
  sessionOf,
  type TokenSet,
  UNCERTAIN,
  type World,
} from './state.ts'
import { lookInto, readStore } from './store.ts'
import { begin, seal } from './vault.ts'

/** The tokens arrive: `commit`, `done` and `keep` run without a pause. */
export function grantedSteps(play: Play, tab: number, index: number) {
  const { before } = play
  const { tokens, late, current } = before.tabs[tab]!.exchanges[index]!
  if (!current && play.rules.compareAndSet) {
    const world = arrival(play, tab, index)
    const { sameEpoch } = world.tabs[tab]!.exchanges[index]!
    const isOver = !sameEpoch || world.tabs[tab]!.tokens === NOTHING
    if (play.rules.revokes && isOver) world.sessions[sessionOf(tokens) - 1]!.revoking = true
    freeExchange(world.tabs[tab]!.exchanges[index]!)
    play.end('{tab} gets {tokens}, too late: its vault has changed, and they are dropped', tab, tokens)
    return
  }
  const words = late
    ? '{tab} gets {tokens} after its deadline, and commits them'
    : '{tab} gets {tokens}, commits and stores them'
  keep(play, tab, tokens, () => committed(play, tab, index, tokens), words)
}

function arrival(play: Play, tab: number, index: number): World {
  const world = play.begin()
  const { tokens } = world.tabs[tab]!.exchanges[index]!
  world.sessions[sessionOf(tokens) - 1]!.answered |= 2 << lagOf(tokens)
  return world
}

function committed(play: Play, tab: number, index: number, tokens: TokenSet): World {
  const world = arrival(play, tab, index)
  const at = world.tabs[tab]!
  const heard = isHeard(at, at.exchanges[index]!)
  if (sessionOf(at.tokens) !== sessionOf(tokens) || isNewer(at.tokens, tokens)) {
    play.breaks('I5: the result of an exchange reached the vault of another epoch')
  }
  if (at.tokens === NOTHING) begin(play, world, tab, tokens)
  else seal(world, tab, tokens)
  freeExchange(at.exchanges[index]!)
  if (heard) authenticated(play, world, tab)
  else hearsOfTokens(play, world, tab, true, true)
  return world
}

/** The server refuses: `adoptNewer` looks whether a sibling won the race. */
export function refusedSteps(play: Play, tab: number, index: number) {
  const { late } = play.before.tabs[tab]!.exchanges[index]!
  const world = play.begin()
  const exchange = world.tabs[tab]!.exchanges[index]!
  if (late) {
    freeExchange(exchange)
    play.end('{tab} is refused after its deadline: nobody listens', tab)
    return
  }
  if (isReading(play.before.tabs[tab]!)) return
  exchange.stage = REREAD
  exchange.readCurrent = true
  exchange.tokens = readStore(play, world, tab)
  play.end('{tab} is refused, and reads the store again', tab)
}

export function actOnReread(play: Play, tab: number, index: number) {
  if (adoptFound(play, tab, index, '{tab} takes over {tokens}: a sibling won the race')) return
  const { tokens: found, readCurrent } = play.before.tabs[tab]!.exchanges[index]!
  const world = play.begin()
  const at = world.tabs[tab]!
  const heard = isHeard(at, at.exchanges[index]!)
  freeExchange(at.exchanges[index]!)
  if (heedsGone(play, tab, found, readCurrent)) {
    endedElsewhere(play, world, tab)
    play.end('{tab} finds its record gone, and logs out', tab)
  } else if (heard && at.place === OPEN) {
    terminal(play, world, tab)
    play.end('{tab} goes on with its last access token', tab)
  } else if (heard) {
    expire(play, world, tab)
    play.end('{tab}: the session has expired', tab)
  } else play.end('{tab} was refused, and nobody listens', tab)
}

/** 5xx. How many tries there are is left open: each failure may be the last of them. */
export function failedSteps(play: Play, tab: number, index: number) {
  for (const next of [BACKING_OFF, SUSPENDED]) {
    const world = play.begin()
    const at = world.tabs[tab]!
    const heard = isHeard(at, at.exchanges[index]!)
    freeExchange(at.exchanges[index]!)
    if (!heard) {
      play.end('{tab} hears of a failure that concerns nobody', tab)
      return
    }
    if (!play.rules.patience) {
      expire(play, world, tab)
      play.end('{tab} takes a failure (5xx) for the end of the session', tab)
      return
    }
    if (next === BACKING_OFF) at.exchange = next
    else suspend(world, tab)
    play.end(
      next === BACKING_OFF
        ? '{tab}: the exchange failed, and will be tried again'
        : '{tab}: the exchange failed, and all tries are spent: who waits is turned away',
      tab,
    )
  }
}

export function lostSteps(play: Play, tab: number, index: number) {
  endUncertain(
    play,
    tab,
    index,
    (exchange) => freeExchange(exchange),
    (words) => play.end(`{tab}: no answer came: ${words}`, tab),
  )
}

/** The refresh token was sent, and no answer came: look into the store first (`uncertain`), or give up for now. */
export function endUncertain(
  play: Play,
  tab: number,
  index: number,
  leave: (exchange: Exchange, world: World) => void,
  end: (words: string) => void,
) {
  const { before } = play
  if (isReading(before.tabs[tab]!)) return
  for (const next of [UNCERTAIN, SUSPENDED]) {
    const world = play.begin()
    const at = world.tabs[tab]!
    const heard = isHeard(at, at.exchanges[index]!)
    leave(at.exchanges[index]!, world)
    if (!heard) {
      end('nobody listens')
      return
    }
    if (next === SUSPENDED) {
      suspend(world, tab)
      end('all tries are spent, who waits is turned away')
      continue
    }
    at.exchange = UNCERTAIN
    lookInto(play, world, tab, CHART)
    end('the store is read again')
  }
}
