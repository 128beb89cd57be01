import type { AuthEmitted, SessionStatus } from '../../machines/index.ts'

/** A value that may be shown: a number, a boolean, a short text, or an object of such values. */
export type Fact = string | number | boolean | { readonly [name: string]: Fact }

/** An XState event, reduced to the fields that may be shown. */
export interface InspectedEvent {
  /** The type of the event, such as `session.signIn`; `'other'` if it is not a name of states or events. */
  readonly type: string
  readonly [name: string]: Fact
}

/** The context of the chart, reduced to the fields that may be shown; see `ChartContext`. */
export interface InspectedContext {
  /** What is known of the session, whichever state the chart is in. */
  readonly status?: SessionStatus
  /** The number of the session: each sign-in and each sign-out raises it. */
  readonly epoch?: number
  /** The number of the token set: each new token set raises it. */
  readonly generation?: number
  /** How many requests wait. */
  readonly held?: number
  readonly [name: string]: Fact | undefined
}

/** The state and the context of the chart. */
export interface InspectedSnapshot {
  /** The status of the actor, as XState gives it: `'active'` until the session is disposed of. */
  readonly status: string
  /** The state value, as XState gives it: `'anonymous'`, `{ refreshing: { gate: 'open', … } }`. */
  readonly value: unknown
  /** The tags of the active states, such as `pass` or `hold`: what happens to requests. */
  readonly tags: readonly string[]
  /** What the chart remembers. */
  readonly context: InspectedContext
}

/**
 * One notification of an observer. Frames come in the order in which things happen. `at` is in milliseconds since the Unix epoch.
 *
 * Frames are built from an allow-list of fields. They contain no token, password or verifier, and no error message.
 */
export type InspectionFrame =
  | {
      /** The first frame: the session when the inspection starts. */
      readonly type: 'begin'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** Names the session among others; see `InspectOptions`. */
      readonly name: string
      /** The session id of the chart's actor: other frames name it by this. */
      readonly actor: string
      /** The state of the chart at the start. */
      readonly snapshot: InspectedSnapshot
    }
  | {
      /** The chart has started an actor: a refresh, a sign-in, a read of the store. */
      readonly type: 'actor'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The session id of the new actor: other frames name it by this. */
      readonly actor: string
      /** The id of the actor in XState's events: `xstate.done.actor.<id>`. */
      readonly id: string
      /** The name of its logic in the chart, such as `refreshTokens`. */
      readonly src: string
    }
  | {
      /** An event was sent to an actor. */
      readonly type: 'event'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The session id of the actor that sent it; missing if the sender is not an actor. */
      readonly from?: string
      /** The session id of the actor that receives it. */
      readonly to: string
      /** What was sent. */
      readonly event: InspectedEvent
    }
  | {
      /** The chart has processed an event. */
      readonly type: 'snapshot'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The session id of the chart's actor. */
      readonly actor: string
      /** What was processed. */
      readonly event: InspectedEvent
      /** The state of the chart after it. */
      readonly snapshot: InspectedSnapshot
      /** The state of the chart in the `snapshot` or `begin` frame before. */
      readonly before: InspectedSnapshot
    }
  | {
      /** An actor that the chart started has made progress or ended. */
      readonly type: 'progress'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The session id of that actor. */
      readonly actor: string
      /** Its status, as XState gives it: `'active'`, `'done'`, `'error'` or `'stopped'`. */
      readonly status: string
    }
  | {
      /** An event that `auth.on` emits, too. It comes before the snapshot that it belongs to. */
      readonly type: 'emitted'
      /** When it happened, in milliseconds since the Unix epoch: the `at` of the event, by the clock of the session. */
      readonly at: number
      /** What was emitted. */
      readonly event: AuthEmitted
    }
  | {
      /** The last frame: the session was disposed of, or the inspection stopped. */
      readonly type: 'end'
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
    }

/**
 * Observes a session. If it throws, or returns a promise that rejects, the error is reported and nothing else happens.
 *
 * @param frame what happened
 */
export type AuthObserver = (frame: InspectionFrame) => unknown
