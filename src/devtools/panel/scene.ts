import type { Moment } from '../recording/moment.ts'
import type { Recording } from '../recording/recording.ts'

/** What the panel shows: the live session, or a moment of a recording. */
export interface Scene {
  readonly recording: Recording
  readonly moment: Moment
  /** The index of the moment in the recording; -1 if the recording is empty. */
  readonly index: number
  /** The shown time, by the clock of the session. */
  readonly now: number
  /** The shown time, by the monotonic clock. */
  readonly seenAt: number
  /** Whether this is the live session. */
  readonly live: boolean
  /** The subject of the signed-in user. Recordings do not contain it. */
  readonly subject: string | undefined
}

/** A part of the panel. */
export interface View {
  readonly element: HTMLElement
  show(scene: Scene): void
  /** Stops timers, animations and observers. */
  stop?(): void
}
