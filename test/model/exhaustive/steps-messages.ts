/** What tabs hear of each other (`create-auth.ts`), and looks into the store outside of an exchange. */
import { authenticated, endedElsewhere, enter, hearsOfTokens, refreshing, removed, request } from './chart.ts'
import { freeLook } from './encoding.ts'
import { CHANGED, ended } from './messages.ts'
import { isDead, type Play } from './play.ts'
import {
  CHART,
  CLOSED,
  GONE,
  isReading,
  isWorthAdopting,
  LOGGED_OUT,
  NOBODY,
  NOTHING,
  RESTORING,
  SYNC,
  sessionOf,
} from './state.ts'
import { lookInto } from './store.ts'
import { adopt, outdate } from './vault.ts'

export function messageSteps(play: Play) {
  for (let tab = 0; tab < 2; tab++) {
    const { inbox, look } = play.before.tabs[tab]!
    const inOrder = play.rules.ordered && !isReading(play.before.tabs[tab]!)
    for (let index = 0; index < (inOrder ? 1 : inbox.length); index++) {
      if (inbox.indexOf(inbox[index]!) === index) hear(play, tab, index)
    }
    if (look.by === CHART) chartActs(play, tab)
    else if (look.by !== NOBODY) actOnLook(play, tab)
  }
}

/**
 * The store answers one question of a tab after the other. What a message makes the tab read waits for its turn, in the
 * inbox here; an end that comes behind it does not wait.
 */
function hear(play: Play, tab: number, index: number) {
  const { namedEnds } = play.rules
  const { inbox, tokens } = play.before.tabs[tab]!
  const message = inbox[index]!
  const isMine = !namedEnds || tokens === NOTHING || message === ended(sessionOf(tokens))
  const leaves = message !== CHANGED && isMine
  if (!leaves && isReading(play.before.tabs[tab]!)) return
  const world = play.begin()
  const at = world.tabs[tab]!
  at.inbox.splice(index, 1)
  if (leaves) {
    outdate(at)
    removed(play, world, tab)
    play.end('{tab} hears that its session ended', tab)
  } else {
    lookInto(play, world, tab, SYNC)
    play.end(
      message === CHANGED
        ? '{tab} hears of a change, and reads the store'
        : '{tab} hears that another session ended, and reads the store',
      tab,
    )
  }
}

/** `syncWithStore` after its `await`, or an `adoptNewer` that the chart no longer waits for. */
function actOnLook(play: Play, tab: number) {
  const { before } = play
  const at = before.tabs[tab]!
  const { by, tokens, current, sameEpoch } = at.look
  if (isWorthAdopting(at, tokens, current)) {
    const choices = isDead(before, tokens) ? 2 : 1
    for (let choice = 0; choice < choices; choice++) {
      const world = play.begin()
      freeLook(world.tabs[tab]!.look)
      const renewal = adopt(play, world, tab, tokens)
      hearsOfTokens(play, world, tab, renewal || by !== SYNC, choice === 0)
      play.end('{tab} takes over {tokens}', tab, tokens)
    }
    return
  }
  const world = play.begin()
  if (by === SYNC && at.tokens === NOTHING && !current && sameEpoch) {
    lookInto(play, world, tab, SYNC)
    play.end('{tab} has expired since it read the store, and reads it again', tab)
    return
  }
  freeLook(world.tabs[tab]!.look)
  if (tokens === GONE && current && at.tokens !== NOTHING && (by === SYNC || at.hasSeenRecord)) {
    removed(play, world, tab)
    play.end('{tab} found its record gone, and logs out', tab)
  } else play.end('{tab} finds nothing new', tab)
}

/** `readSession` is back: in `restoring`, or in `refreshing.exchange.uncertain`. */
function chartActs(play: Play, tab: number) {
  const { before } = play
  const at = before.tabs[tab]!
  const { tokens, current } = at.look
  const restores = at.place === RESTORING
  if (isWorthAdopting(at, tokens, current)) {
    const choices = restores && isDead(before, tokens) ? 2 : 1
    for (let choice = 0; choice < choices; choice++) {
      const world = play.begin()
      freeLook(world.tabs[tab]!.look)
      adopt(play, world, tab, tokens)
      if (choice === 0) authenticated(play, world, tab)
      else {
        world.tabs[tab]!.knownDead = true
        refreshing(play, world, tab, CLOSED)
      }
      play.end('{tab} takes over {tokens}', tab, tokens)
    }
    return
  }
  const world = play.begin()
  freeLook(world.tabs[tab]!.look)
  if (tokens === GONE && current && at.hasSeenRecord && at.tokens !== NOTHING) {
    endedElsewhere(play, world, tab)
    play.end('{tab} finds its record gone, and logs out', tab)
  } else if (restores) {
    enter(play, world, tab, LOGGED_OUT)
    play.end('{tab} finds no session to restore', tab)
  } else {
    request(play, world, tab)
    play.end('{tab} finds nothing new, and tries the exchange again', tab)
  }
}
