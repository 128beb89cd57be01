/** What a refresh attempt does with the record that it read from the store (`reload`, `restore`). */
import { enterAuthenticated, isAwaited, receiveTokens } from './chart.ts'
import { freeAttempt } from './encoding.ts'
import { NOTHING, REMOVED, shouldMerge, type TokenSet } from './state.ts'
import { isInvalid, type Stepper } from './stepper.ts'
import { mergeTokens } from './vault.ts'

/** Merges the tokens that were read if they are newer, and reports them to the chart. Returns whether it did. */
export function mergeFound(stepper: Stepper, tab: number, index: number, words: string): boolean {
  const { before } = stepper
  const { tokens, readCurrent } = before.tabs[tab]!.attempts[index]!
  if (!shouldMerge(before.tabs[tab]!, tokens, readCurrent)) return false
  const awaited = isAwaited(before.tabs[tab]!, before.tabs[tab]!.attempts[index]!)
  const choices = awaited || !isInvalid(before, tokens) ? 1 : 2
  for (let choice = 0; choice < choices; choice++) {
    const world = stepper.draft()
    freeAttempt(world.tabs[tab]!.attempts[index]!)
    mergeTokens(stepper, world, tab, tokens)
    if (awaited) enterAuthenticated(stepper, world, tab)
    else receiveTokens(stepper, world, tab, true, choice === 0)
    stepper.emit(words, tab, tokens)
  }
  return true
}

/** Whether the tab takes a removed record for the end of its session. */
export const isSessionRemoved = ({ before }: Stepper, tab: number, found: TokenSet, readCurrent: boolean) =>
  found === REMOVED && readCurrent && before.tabs[tab]!.hasSeenRecord && before.tabs[tab]!.tokens !== NOTHING
