import { announceChange, endedElsewhere } from './chart.ts'
import { CHANGED } from './messages.ts'
import type { Play } from './play.ts'
import { isNewer, isReading, NOTHING, SYNC, type TokenSet, type World } from './state.ts'
import { lookInto, spendStore, writeStore } from './store.ts'

/**
 * `keep`: the store is written and siblings are told, in each way that can go. `prepare` makes the world in which that
 * happens.
 */
export function keep(
  play: Play,
  tab: number,
  tokens: TokenSet,
  prepare: () => World,
  words: string,
  isSignIn = false,
) {
  const world = prepare()
  if (play.rules.guardedWrite && isOvertaken(world, tab, isSignIn)) {
    yieldToStore(play, world, tab)
    play.end(`${words}; but the store says otherwise by now, and {tab} follows it`, tab, tokens)
    return
  }
  writeStore(play, world, tab)
  announceChange(world, tab)
  play.end(words, tab, tokens)
  if (play.before.budget.store === 0) return

  const cleared = prepare()
  spendStore(cleared)
  cleared.stored = NOTHING
  cleared.tabs[tab]!.knowsRecord = false
  announceChange(cleared, tab)
  play.mayEnd(`${words}; the store refuses the record, and is cleared`, tab, tokens)

  const stale = prepare()
  spendStore(stale)
  stale.tabs[tab]!.knowsRecord = false
  announceChange(stale, tab)
  play.mayEnd(`${words}; the store refuses the record, and to be cleared`, tab, tokens)
}

/** That the record of the session before is gone is nothing to a new one. */
const isOvertaken = ({ stored, tabs }: World, tab: number, isSignIn: boolean) =>
  stored === NOTHING
    ? tabs[tab]!.knowsRecord && tabs[tab]!.hasSeenRecord && !isSignIn
    : isNewer(stored, tabs[tab]!.tokens)

/** The session has ended elsewhere, or `session.sync` will bring the newer one. */
function yieldToStore(play: Play, world: World, tab: number) {
  const at = world.tabs[tab]!
  if (world.stored === NOTHING) endedElsewhere(play, world, tab)
  else if (isReading(at)) at.inbox.unshift(CHANGED)
  else lookInto(play, world, tab, SYNC)
}
