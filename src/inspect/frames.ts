import type { AuthEmitted, SessionStatus } from '../../machines/index.ts'

/** A value that may be shown: a number, a boolean, a short text, or an object of such values. */
export type Fact = string | number | boolean | { readonly [name: string]: Fact }

/** An XState event, reduced to the fields that may be shown. */
export interface InspectedEvent {
  readonly type: string
  readonly [name: string]: Fact
}

/** The context of the chart, reduced to the fields that may be shown; see `ChartContext`. */
export interface InspectedContext {
  readonly status?: SessionStatus
  readonly epoch?: number
  readonly generation?: number
  readonly held?: number
  readonly [name: string]: Fact | undefined
}

/** The state and the context of the chart. */
export interface InspectedSnapshot {
  readonly status: string
  /** The state value, as XState gives it: `'anonymous'`, `{ refreshing: { gate: 'open', … } }`. */
  readonly value: unknown
  readonly tags: readonly string[]
  readonly context: InspectedContext
}

/**
 * One notification of an observer. Frames come in the order in which things happen. `at` is in milliseconds since the Unix epoch.
 *
 * Frames are built from an allow-list of fields. They contain no token, password or verifier, and no error message.
 */
export type InspectionFrame =
  /** The first frame: the session when the inspection starts. */
  | {
      readonly type: 'begin'
      readonly at: number
      /** Names the session among others; see `InspectOptions`. */
      readonly name: string
      readonly actor: string
      readonly snapshot: InspectedSnapshot
    }
  /** The chart has started an actor: a refresh, a sign-in, a read of the store. */
  | {
      readonly type: 'actor'
      readonly at: number
      readonly actor: string
      /** The id of the actor in XState's events: `xstate.done.actor.<id>`. */
      readonly id: string
      readonly src: string
    }
  /** An event was sent to an actor. `from` is absent if the sender is not an actor. */
  | {
      readonly type: 'event'
      readonly at: number
      readonly from?: string
      readonly to: string
      readonly event: InspectedEvent
    }
  /** The chart has processed an event; `snapshot` is its state after it. */
  | {
      readonly type: 'snapshot'
      readonly at: number
      readonly actor: string
      readonly event: InspectedEvent
      readonly snapshot: InspectedSnapshot
      readonly before: InspectedSnapshot
    }
  /** An actor that the chart started has made progress or ended. */
  | { readonly type: 'progress'; readonly at: number; readonly actor: string; readonly status: string }
  /** An event that `auth.on` emits, too. It comes before the snapshot that it belongs to. */
  | { readonly type: 'emitted'; readonly at: number; readonly event: AuthEmitted }
  /** The last frame: the session was disposed of, or the inspection stopped. */
  | { readonly type: 'end'; readonly at: number }

/**
 * Observes a session. If it throws, or returns a promise that rejects, the error is reported and nothing else happens.
 *
 * @param frame what happened
 */
export type AuthObserver = (frame: InspectionFrame) => unknown
