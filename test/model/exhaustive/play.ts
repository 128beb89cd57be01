import { decode, emptyWorld } from './encoding.ts'
import type { Rules } from './rules.ts'
import {
  ALIVE,
  lagOf,
  NOTHING,
  type Session,
  sessionOf,
  type Tab,
  type TokenSet,
  type World,
} from './state.ts'

/** Called with every step that may come next. `own`: the library, the server or the network take it by themselves. */
export type Visit = (after: World, step: Step) => void

/** A step, in words a reader follows; `{tab}` and `{tokens}` stand for what it is about. */
export interface Step {
  readonly words: string
  /** Which tab, or -1. */
  readonly tab: number
  /** Which tokens, numbered as before the step. */
  readonly tokens: TokenSet
  readonly own: boolean
  /** The invariant that the step itself broke. */
  readonly broken: string | undefined
}

/**
 * The board that steps are played on. A step looks at `before`; where it is possible it calls `begin`, changes `after`,
 * and calls `end`.
 */
export class Play {
  readonly rules: Rules
  /** How many there may be in all. */
  readonly lockFaults: number
  readonly before: World = emptyWorld()
  readonly after: World = emptyWorld()
  private bytes: Uint8Array = new Uint8Array()
  private at = 0
  private visit: Visit = () => {}
  private broken: string | undefined
  /** Whether a step was possible that somebody takes without being asked. */
  moved = false

  constructor(rules: Rules, lockFaults: number) {
    this.rules = rules
    this.lockFaults = lockFaults
  }

  load(bytes: Uint8Array, at: number, visit: Visit) {
    this.bytes = bytes
    this.at = at
    this.visit = visit
    this.moved = false
    decode(bytes, at, this.before)
  }

  begin(): World {
    decode(this.bytes, this.at, this.after)
    this.broken = undefined
    return this.after
  }

  /** A step that comes by itself. */
  end(words: string, tab = -1, tokens: TokenSet = NOTHING) {
    this.moved = true
    this.visit(this.after, { words, tab, tokens, own: true, broken: this.broken })
  }

  /** A step that users, clocks and faults may take, or never take. */
  mayEnd(words: string, tab = -1, tokens: TokenSet = NOTHING) {
    this.visit(this.after, { words, tab, tokens, own: false, broken: this.broken })
  }

  /** The step under way breaks an invariant. */
  breaks(invariant: string) {
    if (!this.ignores(invariant)) this.broken ??= invariant
  }

  ignores(invariant: string): boolean {
    return this.rules.unchecked.some((name) => invariant.startsWith(name))
  }
}

export const other = (tab: number) => 1 - tab

/** The session that a token set belongs to. */
export const of = (world: World, tokens: TokenSet): Session => world.sessions[sessionOf(tokens) === 1 ? 0 : 1]

/** Whether an API says 401 to this access token. */
export function isDead(world: World, tokens: TokenSet): boolean {
  const { life, deadFrom } = of(world, tokens)
  return life !== ALIVE || lagOf(tokens) >= deadFrom
}

export function tell(tab: Tab, message: number) {
  tab.inbox.push(message)
}
