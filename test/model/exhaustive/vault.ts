/**
 * `src/core/vault.ts`: what happens to a tab's tokens, and what that makes of everything that refers to them: marks,
 * and the passes of requests.
 */
import { STORE_FAULT } from './budget.ts'
import type { Play } from './play.ts'
import {
  CURRENT,
  FOREIGN,
  HELD,
  HELD_AGAIN,
  IDLE,
  NOTHING,
  OLDER,
  REVIVED,
  type Request,
  SETTLED,
  sessionOf,
  type Tab,
  type TokenSet,
  UNOWNED,
  type World,
} from './state.ts'

/** `change++`: nothing that was read or asked before now fits any more. */
export function outdate(tab: Tab) {
  for (const exchange of tab.exchanges) exchange.current = exchange.readCurrent = false
  tab.look.current = false
}

function eachPass(world: World, tab: number, change: (request: Request) => void) {
  for (const request of world.requests) {
    if (request.tab === tab && request.stage !== IDLE && request.stage !== SETTLED) change(request)
  }
}

function unseal(world: World, number: number) {
  const tab = world.tabs[number]!
  eachPass(world, number, (request) => {
    if (request.pass === REVIVED) request.pass = FOREIGN
  })
  tab.tokens = NOTHING
  tab.last = tab.knownDead = false
  outdate(tab)
}

function nextEpoch(tab: Tab) {
  tab.look.sameEpoch = false
  for (const exchange of tab.exchanges) exchange.sameEpoch = false
}

/** `seal`: a renewal of the session at hand. */
export function seal(world: World, number: number, tokens: TokenSet) {
  const tab = world.tabs[number]!
  eachPass(world, number, (request) => {
    // Who waits has no pass yet: it belongs to the epoch.
    if (request.pass === CURRENT && !waits(request)) request.pass = OLDER
  })
  tab.tokens = tokens
  tab.last = tab.knownDead = false
  outdate(tab)
}

/** `begin`: another sign-in, or the return of one that ended by itself. */
export function begin(play: Play, world: World, number: number, tokens: TokenSet) {
  const tab = world.tabs[number]!
  const returns = tab.tokens === NOTHING && tab.erased === sessionOf(tokens)
  unseal(world, number)
  eachPass(world, number, (request) => {
    if (request.pass !== UNOWNED && request.pass !== FOREIGN) request.pass = returns ? REVIVED : FOREIGN
  })
  nextEpoch(tab)
  tab.erased = 0
  tab.departed = false
  tab.tokens = tokens
  // A record that a fault took away looks like one that a sign-out took away, until it is back.
  const isBack = (tab.left & (1 << sessionOf(tokens))) !== 0
  if (isBack && !(world.excuses & STORE_FAULT))
    play.breaks('I5: a session came back in a tab that had left it')
}

/** `erase`: the session ended by itself. */
export function erase(world: World, number: number) {
  const tab = world.tabs[number]!
  const session = sessionOf(tab.tokens)
  unseal(world, number)
  tab.erased = session
}

/** `dismiss`: the user left. */
export function dismiss(world: World, number: number) {
  const tab = world.tabs[number]!
  tab.left |= 1 << (tab.tokens === NOTHING ? tab.erased : sessionOf(tab.tokens))
  tab.left &= ~1
  unseal(world, number)
  eachPass(world, number, (request) => {
    if (request.pass !== UNOWNED) request.pass = FOREIGN
  })
  nextEpoch(tab)
  tab.erased = 0
}

/** `adopt`, of what is newer; tells whether it is the same session's. */
export function adopt(play: Play, world: World, number: number, found: TokenSet): boolean {
  const tab = world.tabs[number]!
  const renewal = tab.tokens !== NOTHING && sessionOf(tab.tokens) === sessionOf(found)
  if (renewal) seal(world, number, found)
  else begin(play, world, number, found)
  return renewal
}

const waits = ({ stage }: Request) => stage === HELD || stage === HELD_AGAIN
