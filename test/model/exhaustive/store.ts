/** `src/core/session/store-queue.ts` over a store that all tabs share and that completes every operation at once. */
import { STORE_FAULT } from './budget.ts'
import { isNewer, NOTHING, REMOVED, sessionOf, type TokenSet, type World } from './state.ts'
import type { Stepper } from './stepper.ts'

/** `read`: the record, REMOVED if the store had one and it was removed, or NOTHING. */
export function readStore({ rules }: Stepper, world: World, number: number): TokenSet {
  const tab = world.tabs[number]!
  if (world.stored !== NOTHING) {
    tab.knowsRecord = true
    tab.hasSeenRecord = true
    return world.stored
  }
  const missed = tab.knowsRecord
  if (!rules.remembersRemoval) tab.knowsRecord = false
  return missed ? REMOVED : NOTHING
}

/** Starts a read outside of a refresh attempt. */
export function startRead(stepper: Stepper, world: World, number: number, by: number) {
  const { storeRead } = world.tabs[number]!
  storeRead.reader = by
  storeRead.current = storeRead.sameEpoch = true
  storeRead.tokens = readStore(stepper, world, number)
}

/** `persist`: writes the tab's tokens. */
export function writeStore(stepper: Stepper, world: World, number: number) {
  const tab = world.tabs[number]!
  if (world.stored !== NOTHING && isNewer(world.stored, tab.tokens)) {
    stepper.violate('I5: an older token set overwrote a newer one in the store')
  }
  if (world.sessions[sessionOf(tab.tokens) - 1]!.signedOut) {
    stepper.violate('I5: a session was stored after its sign-out')
  }
  world.stored = tab.tokens
  tab.knowsRecord = true
  if (stepper.rules.trustsWrites) tab.hasSeenRecord = true
}

/** `clear`: removes any record, or, if tokens expired, only a record of these tokens or of older ones. */
export function clearStore(stepper: Stepper, world: World, number: number, expired?: TokenSet) {
  const isNewerRecord = expired !== undefined && world.stored !== NOTHING && isNewer(world.stored, expired)
  if (isNewerRecord && stepper.rules.guardedClear) return
  if (isNewerRecord) stepper.violate('I5: the end of a session cleared a newer one from the store')
  world.tabs[number]!.knowsRecord = false
  world.stored = NOTHING
}

export function countStoreFault(world: World) {
  world.budget.store--
  world.faults |= STORE_FAULT
}
