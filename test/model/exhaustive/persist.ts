import { announceChange, endRemoved } from './chart.ts'
import { CHANGED, waitsForReason } from './messages.ts'
import { isNewer, isReading, NOTHING, RELOAD, type TokenSet, type World } from './state.ts'
import type { Stepper } from './stepper.ts'
import { countStoreFault, startRead, writeStore } from './store.ts'

/**
 * `persist`: writes the store and notifies the other tab, with one step for each possible outcome. `prepare` creates the
 * world in which this happens.
 */
export function persist(
  stepper: Stepper,
  tab: number,
  tokens: TokenSet,
  prepare: () => World,
  words: string,
  isSignIn = false,
) {
  if (
    stepper.before.stored === NOTHING &&
    stepper.before.tabs[tab]!.knowsRecord &&
    waitsForReason(stepper, tab)
  )
    return
  const world = prepare()
  if (stepper.rules.guardedWrite && isOvertaken(world, tab, isSignIn)) {
    followStore(stepper, world, tab)
    stepper.emit(`${words}; but the store has changed meanwhile, and {tab} follows it`, tab, tokens)
    return
  }
  writeStore(stepper, world, tab)
  announceChange(world, tab)
  stepper.emit(words, tab, tokens)
  if (stepper.before.budget.store === 0) return

  const cleared = prepare()
  countStoreFault(cleared)
  cleared.stored = NOTHING
  cleared.tabs[tab]!.knowsRecord = false
  announceChange(cleared, tab)
  stepper.emitOptional(`${words}; the store rejects the record, and is cleared`, tab, tokens)

  const stale = prepare()
  countStoreFault(stale)
  stale.tabs[tab]!.knowsRecord = false
  announceChange(stale, tab)
  stepper.emitOptional(`${words}; the store rejects the record, and cannot be cleared`, tab, tokens)
}

/**
 * Whether the store has a newer session, or the record was removed. A sign-in ignores that an old record was removed.
 */
const isOvertaken = ({ stored, tabs }: World, tab: number, isSignIn: boolean) =>
  stored === NOTHING
    ? tabs[tab]!.knowsRecord && tabs[tab]!.hasSeenRecord && !isSignIn
    : isNewer(stored, tabs[tab]!.tokens)

/** Follows the store: the session has ended in another tab, or a read (`store.changed`) will merge the newer one. */
function followStore(stepper: Stepper, world: World, tab: number) {
  const at = world.tabs[tab]!
  if (world.stored === NOTHING) endRemoved(stepper, world, tab)
  else if (isReading(at)) at.inbox.unshift(CHANGED)
  else startRead(stepper, world, tab, RELOAD)
}
