import type { AuthEmitted, Standing } from '../../machines/index.ts'

/** A fact that may be shown: a number, a truth, a word, or a few of them under names. */
export type Fact = string | number | boolean | { readonly [name: string]: Fact }

/** An event of XState's, with the facts in it that may be shown. */
export interface InspectedEvent {
  readonly type: string
  readonly [name: string]: Fact
}

/** What the chart remembers; see `AuthContext`. */
export interface InspectedContext {
  readonly standing?: Standing
  readonly epoch?: number
  readonly generation?: number
  readonly held?: number
  readonly [name: string]: Fact | undefined
}

/** Where the chart is. */
export interface InspectedSnapshot {
  readonly status: string
  /** As XState has it: `'anonymous'`, `{ refreshing: { gate: 'open', … } }`. */
  readonly value: unknown
  readonly tags: readonly string[]
  readonly context: InspectedContext
}

/**
 * One thing that an observer is told, in the order things happen. `at` is in milliseconds since the Unix epoch.
 *
 * Frames are made anew from what is known to be no secret: no token, password or verifier is in one, nor the text of an error.
 */
export type InspectionFrame =
  /** The first frame: how the session stands when somebody begins to look. */
  | {
      readonly type: 'begin'
      readonly at: number
      /** Names the session among others; see `InspectOptions`. */
      readonly name: string
      readonly actor: string
      readonly snapshot: InspectedSnapshot
    }
  /** The chart has started something: an exchange, a sign-in, a look into the store. */
  | {
      readonly type: 'actor'
      readonly at: number
      readonly actor: string
      /** The name that XState's events have for it: `xstate.done.actor.<id>`. */
      readonly id: string
      readonly src: string
    }
  /** An event is on its way to an actor; `from` is absent where it comes from outside. */
  | {
      readonly type: 'event'
      readonly at: number
      readonly from?: string
      readonly to: string
      readonly event: InspectedEvent
    }
  /** The chart has taken an event, and stands like this. */
  | {
      readonly type: 'snapshot'
      readonly at: number
      readonly actor: string
      readonly event: InspectedEvent
      readonly snapshot: InspectedSnapshot
      readonly before: InspectedSnapshot
    }
  /** Something that the chart started has come to its end, or gone on. */
  | { readonly type: 'progress'; readonly at: number; readonly actor: string; readonly status: string }
  /** What `auth.on` tells, too. It comes before the snapshot that it belongs to. */
  | { readonly type: 'emitted'; readonly at: number; readonly event: AuthEmitted }
  /** The last frame: the session was disposed of, or the inspection stopped. */
  | { readonly type: 'end'; readonly at: number }

/**
 * Who looks at a session. What it throws, or rejects with, is reported and harms nobody.
 *
 * @param frame what happened
 */
export type AuthObserver = (frame: InspectionFrame) => unknown
