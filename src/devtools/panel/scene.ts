import type { Moment } from '../recording/moment.ts'
import type { Recording } from '../recording/recording.ts'

/** What the panel shows: a session as it is, or as it was. */
export interface Scene {
  readonly recording: Recording
  /** How everything stood; `index` is its place in the recording, -1 where nothing has happened yet. */
  readonly moment: Moment
  readonly index: number
  /** The time shown, by the session's clock. */
  readonly now: number
  /** The time shown, by the clock that nobody sets. */
  readonly seenAt: number
  /** Whether it goes on. */
  readonly live: boolean
  /** Who is signed in; not part of a recording. */
  readonly subject: string | undefined
}

/** A part of the panel. */
export interface View {
  readonly element: HTMLElement
  show(scene: Scene): void
  /** Lets go of what goes on by itself. */
  stop?(): void
}
