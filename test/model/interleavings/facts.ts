import type { AuthEmitted } from '../../../machines/index.ts'
import type { CoordinatorMessage } from '../../../src/core/ports.ts'
import type { Page } from './clock.ts'
import type { Lock } from './coordinator.ts'
import type { Family } from './server.ts'
import type { Write } from './store.ts'
import type { Tab } from './tab.ts'

/** The session of a tab at one moment. */
export interface View {
  readonly state: string
  readonly gateClosed: boolean
  readonly session:
    | { readonly generation: number; readonly epoch: number; readonly subject?: string }
    | undefined
}

/** One call of the library that returns a promise, such as a request. */
export interface Call {
  readonly tab: Tab
  readonly name: string
  /** The user who was signed in at the time of the call, and the epoch and generation of the session. */
  readonly owner: string | undefined
  readonly epoch: number | undefined
  readonly generation: number | undefined
  /** The family of the session at the time of the call, and that time by the wall clock. */
  readonly family: string | undefined
  readonly madeAt: number
  readonly replayable: boolean
  /** How long it may wait between two openings of the gate, in milliseconds. */
  readonly patience: number
  readonly controller: AbortController | undefined
  /** How long the token that it asks for must be valid, in milliseconds. */
  readonly minValidity: number
  sends: number
  settlements: number
  /** What it resolved to, if it has not failed. */
  gave?: unknown
  /** The request is at the API, so the library does not decide how long it takes. */
  inFlight: boolean
  /** How often it has begun to wait since it was last answered, if it is a request. */
  holds: number
  /** The uptime since which it waits. A request that is held again has a new deadline. */
  waitingSince: number
  /** For how long its tab had been frozen in total at the time of the call. */
  readonly frozenFor: number
  /** How often the gate of its tab had opened when the wait began. */
  openings: number
}

export interface Sending {
  readonly call: Call
  readonly url: string
  readonly authorization: string | undefined
  /** Whether the token had been rejected before. */
  readonly refused: boolean
  readonly view: View
}

/** A tab that received the answer to a refresh token. Under the lock, it was stored before the next refresh. */
export interface Answered {
  readonly tab: Tab
  readonly locked: boolean
}

/** One call of the user's `refresh` function. */
export interface RefreshCall {
  readonly tab: Tab
  readonly token: string
  readonly family: Family | undefined
  /** The lock under which it began. Without a lock, it must be excused. */
  readonly lock: Lock | undefined
  readonly excused: boolean
  /** Other refreshes of this session that were running when it began. */
  readonly beside: readonly RefreshCall[]
  /** The tabs that had received the answer to its refresh token before it began. */
  readonly answeredTo: readonly Answered[]
  aborted: boolean
}

export interface Settlement {
  readonly call: Call
  readonly error: unknown
  readonly failed: boolean
  /** How long it had waited at most, because a deadline may also follow the wall clock. */
  readonly waited: number
  /** How many other calls of its tab were waiting. */
  readonly beside: number
}

/** What the library did during one step, in order. */
export interface Facts {
  sendings: Sending[]
  refreshes: RefreshCall[]
  settlements: Settlement[]
  writes: (Write & { readonly view: View; readonly afterSignOut: boolean })[]
  /** Records that were cleared although their session is in use in another tab. */
  clearings: { readonly page: Page; readonly family: Family }[]
  events: { readonly tab: Tab; readonly event: AuthEmitted }[]
  /** Sessions that ended without a cause in the world. */
  unexplained: { readonly tab: Tab; readonly event: AuthEmitted }[]
  revocations: { readonly tab: Tab; readonly family: Family | undefined; readonly alive: boolean }[]
  announcements: { readonly page: Page; readonly message: CoordinatorMessage }[]
  /** Tabs that refreshed because an API rejected an older token. */
  needless: Tab[]
  /** Sessions that a limit ended too early, in words. */
  early: string[]
  /** Sessions that were announced before the store had their refresh token, in words. */
  premature: string[]
  /** Refreshes that a late timer gave up although their answer had arrived, in words. */
  abandoned: string[]
  /** Errors that the library reported. */
  reported: string[]
}

export const noFacts = (): Facts => ({
  sendings: [],
  refreshes: [],
  settlements: [],
  writes: [],
  clearings: [],
  events: [],
  unexplained: [],
  revocations: [],
  announcements: [],
  needless: [],
  early: [],
  premature: [],
  abandoned: [],
  reported: [],
})
