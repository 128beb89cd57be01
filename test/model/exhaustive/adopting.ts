/** What an exchange does with what it found in the store (`adoptNewer`, `readSession`). */
import { authenticated, hearsOfTokens, isHeard } from './chart.ts'
import { freeExchange } from './encoding.ts'
import { isDead, type Play } from './play.ts'
import { GONE, isWorthAdopting, NOTHING, type TokenSet } from './state.ts'
import { adopt } from './vault.ts'

/** Takes over what was found, where it is newer; tells the chart. */
export function adoptFound(play: Play, tab: number, index: number, words: string): boolean {
  const { before } = play
  const { tokens, readCurrent } = before.tabs[tab]!.exchanges[index]!
  if (!isWorthAdopting(before.tabs[tab]!, tokens, readCurrent)) return false
  const heard = isHeard(before.tabs[tab]!, before.tabs[tab]!.exchanges[index]!)
  const choices = heard || !isDead(before, tokens) ? 1 : 2
  for (let choice = 0; choice < choices; choice++) {
    const world = play.begin()
    freeExchange(world.tabs[tab]!.exchanges[index]!)
    adopt(play, world, tab, tokens)
    if (heard) authenticated(play, world, tab)
    else hearsOfTokens(play, world, tab, true, choice === 0)
    play.end(words, tab, tokens)
  }
  return true
}

/** Whoever finds the record gone takes the session for ended. */
export const heedsGone = ({ before }: Play, tab: number, found: TokenSet, readCurrent: boolean) =>
  found === GONE && readCurrent && before.tabs[tab]!.hasSeenRecord && before.tabs[tab]!.tokens !== NOTHING
