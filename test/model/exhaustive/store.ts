/** `src/core/session-store.ts`, over a store that all tabs share and that does at once what it is asked. */
import { STORE_FAULT } from './budget.ts'
import type { Play } from './play.ts'
import { GONE, isNewer, NOTHING, sessionOf, type TokenSet, type World } from './state.ts'

/** `read`: the record, GONE where there was one and somebody took it away, or nothing. */
export function readStore({ rules }: Play, world: World, number: number): TokenSet {
  const tab = world.tabs[number]!
  if (world.stored !== NOTHING) {
    tab.knowsRecord = true
    tab.hasSeenRecord = true
    return world.stored
  }
  const missed = tab.knowsRecord
  if (!rules.remembersGone) tab.knowsRecord = false
  return missed ? GONE : NOTHING
}

/** A look outside of an exchange takes place. */
export function lookInto(play: Play, world: World, number: number, by: number) {
  const { look } = world.tabs[number]!
  look.by = by
  look.current = look.sameEpoch = true
  look.tokens = readStore(play, world, number)
}

/** `save`: writes what the tab holds. */
export function writeStore(play: Play, world: World, number: number) {
  const tab = world.tabs[number]!
  if (world.stored !== NOTHING && isNewer(world.stored, tab.tokens)) {
    play.breaks('I5: an older token set overwrote a newer one in the store')
  }
  if (world.sessions[sessionOf(tab.tokens) - 1]!.signedOut) {
    play.breaks('I5: a session was stored after its sign-out')
  }
  world.stored = tab.tokens
  tab.knowsRecord = true
  if (play.rules.readsBack) tab.hasSeenRecord = true
}

/** `clear`: of whatever is there, or only of that session and older ones. */
export function clearStore(play: Play, world: World, number: number, expired?: TokenSet) {
  const isNewerSession = expired !== undefined && sessionOf(world.stored) > sessionOf(expired)
  if (isNewerSession && play.rules.guardedClear) return
  if (isNewerSession) play.breaks('I5: the end of a session cleared a newer one from the store')
  world.tabs[number]!.knowsRecord = false
  world.stored = NOTHING
}

export function spendStore(world: World) {
  world.budget.store--
  world.excuses |= STORE_FAULT
}
