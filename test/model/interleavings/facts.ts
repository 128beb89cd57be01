import type { AuthEmitted } from '../../../machines/index.ts'
import type { CoordinatorMessage } from '../../../src/core/ports.ts'
import type { Page } from './clock.ts'
import type { Lock } from './coordinator.ts'
import type { Family } from './server.ts'
import type { Write } from './store.ts'
import type { Tab } from './tab.ts'

/** Where a session stands at one moment. */
export interface Place {
  readonly state: string
  readonly gateClosed: boolean
  readonly session:
    | { readonly generation: number; readonly epoch: number; readonly subject?: string }
    | undefined
}

/** Something that was asked of the library: a request, or a call that gives a promise. */
export interface Ask {
  readonly tab: Tab
  readonly name: string
  /** Who was signed in when it was asked, and in which session. */
  readonly owner: string | undefined
  readonly epoch: number | undefined
  readonly replayable: boolean
  /** How long it may wait between two openings of the gate, in milliseconds. */
  readonly patience: number
  readonly controller: AbortController | undefined
  sends: number
  settlements: number
  /** What it gave, where it did not fail. */
  gave?: unknown
  /** At the API, so that the library has no say in how long it takes. */
  inFlight: boolean
  /** Since when it waits, in uptime. */
  waitingSince: number
  /** For how long its tab had been frozen by then, in all. */
  readonly stoodStill: number
  /** How often its tab's gate had opened by then. */
  openings: number
}

export interface Sending {
  readonly ask: Ask
  readonly url: string
  readonly authorization: string | undefined
  /** Its token had been refused by then. */
  readonly refused: boolean
  readonly place: Place
}

/** Who got the answer to a refresh token, and whether under the lock, so that it was in the store before the next one. */
export interface Answered {
  readonly tab: Tab
  readonly locked: boolean
}

/** One call of the user's `refresh`. */
export interface Exchange {
  readonly tab: Tab
  readonly token: string
  readonly family: Family | undefined
  /** The lock it began under; without one it had to have a right to go on. */
  readonly lock: Lock | undefined
  readonly excused: boolean
  /** Other exchanges of this session that were under way when it began. */
  readonly beside: readonly Exchange[]
  /** Who had got the answer to its refresh token before it began. */
  readonly answeredTo: readonly Answered[]
  aborted: boolean
}

export interface Settlement {
  readonly ask: Ask
  readonly error: unknown
  readonly failed: boolean
  /** How long it had waited, at most: a deadline may go by the wall clock, too. */
  readonly waited: number
  /** How many of its tab were waiting beside it. */
  readonly beside: number
}

/** What the library did during one step, in the order in which it did it. */
export interface Facts {
  sendings: Sending[]
  exchanges: Exchange[]
  settlements: Settlement[]
  writes: (Write & { readonly place: Place; readonly afterSignOut: boolean })[]
  /** Records of sessions in use elsewhere that were taken away. */
  clearings: { readonly page: Page; readonly family: Family }[]
  events: { readonly tab: Tab; readonly event: AuthEmitted }[]
  /** Sessions that ended, and nothing in the world was a reason for it. */
  groundless: { readonly tab: Tab; readonly event: AuthEmitted }[]
  revocations: { readonly tab: Tab; readonly family: Family | undefined; readonly alive: boolean }[]
  announcements: { readonly page: Page; readonly message: CoordinatorMessage }[]
  /** Exchanges that an API's refusal of an older token set going. */
  needless: Tab[]
  /** What the library reported, or what a caller was told that nobody can explain. */
  odd: string[]
}

export const noFacts = (): Facts => ({
  sendings: [],
  exchanges: [],
  settlements: [],
  writes: [],
  clearings: [],
  events: [],
  groundless: [],
  revocations: [],
  announcements: [],
  needless: [],
  odd: [],
})
