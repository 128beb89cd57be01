import { decode, emptyWorld } from './encoding.ts'
import type { Rules } from './rules.ts'
import {
  ACTIVE,
  lagOf,
  NOTHING,
  type Session,
  sessionOf,
  type Tab,
  type TokenSet,
  type World,
} from './state.ts'

/** Called with every possible next step and the world after it. */
export type Visit = (after: World, step: Step) => void

/** A step, described in words; `{tab}` and `{tokens}` are placeholders for the two fields of that name. */
export interface Step {
  readonly words: string
  /** The number of the tab, or -1. */
  readonly tab: number
  /** The tokens, with the lag that they had before the step. */
  readonly tokens: TokenSet
  /** Taken by the library, the server or the network. Other steps may happen or not: users, clocks and faults. */
  readonly automatic: boolean
  /** The invariant that the step itself violates. */
  readonly violated: string | undefined
}

/**
 * Collects the possible steps of one state. The code of a step reads `before`. If the step is possible, it calls
 * `draft`, changes the world that it gets, and calls `emit` or `emitOptional`.
 */
export class Stepper {
  readonly rules: Rules
  /** The number of lock faults that the setting allows in all. */
  readonly lockFaults: number
  readonly before: World = emptyWorld()
  readonly after: World = emptyWorld()
  private bytes: Uint8Array = new Uint8Array()
  private at = 0
  private visit: Visit = () => {}
  private violated: string | undefined
  /** Whether an automatic step is possible. If not, the world is at rest. */
  canProceed = false

  constructor(rules: Rules, lockFaults: number) {
    this.rules = rules
    this.lockFaults = lockFaults
  }

  /** Starts with the state at `at`; `visit` is called for each of its steps. */
  load(bytes: Uint8Array, at: number, visit: Visit) {
    this.bytes = bytes
    this.at = at
    this.visit = visit
    this.canProceed = false
    decode(bytes, at, this.before)
  }

  /** Returns a copy of `before` to change. There is one copy: each call resets it. */
  draft(): World {
    decode(this.bytes, this.at, this.after)
    this.violated = undefined
    return this.after
  }

  /** Reports the draft as an automatic step: the library, the server or the network takes it. */
  emit(words: string, tab = -1, tokens: TokenSet = NOTHING) {
    this.canProceed = true
    this.visit(this.after, { words, tab, tokens, automatic: true, violated: this.violated })
  }

  /** Reports the draft as a step that a user, a clock or a fault may take, or never takes. */
  emitOptional(words: string, tab = -1, tokens: TokenSet = NOTHING) {
    this.visit(this.after, { words, tab, tokens, automatic: false, violated: this.violated })
  }

  /** Marks the current draft as a violation of an invariant, unless that invariant is not checked. */
  violate(invariant: string) {
    if (!this.isUnchecked(invariant)) this.violated ??= invariant
  }

  isUnchecked(invariant: string): boolean {
    return this.rules.unchecked.some((name) => invariant.startsWith(name))
  }
}

export const otherTab = (tab: number) => 1 - tab

/** The server's session that a token set belongs to. */
export const serverSession = (world: World, tokens: TokenSet): Session =>
  world.sessions[sessionOf(tokens) === 1 ? 0 : 1]

/** Whether an API answers 401 to this access token. */
export function isInvalid(world: World, tokens: TokenSet): boolean {
  const { status, invalidFrom } = serverSession(world, tokens)
  return status !== ACTIVE || lagOf(tokens) >= invalidFrom
}

export function post(tab: Tab, message: number) {
  tab.inbox.push(message)
}
