import type { Mailbox } from './mailbox.ts'
import type { AuthOptions, Settings } from './options.ts'
import type { BoundedWork } from './platform/bounded-work.ts'
import type { Clock, Environment } from './ports.ts'

/** What every part of one session may use. */
export interface Kernel {
  /** What the app gave. The server of a worker wraps the functions. */
  options: AuthOptions<never>
  readonly settings: Settings
  readonly clock: Clock
  readonly environment: Environment
  /** The way to the chart. */
  readonly mailbox: Mailbox
  /** Runs the app's functions in bounded time. */
  readonly work: BoundedWork
  /** Reports an error of the app's own code. */
  readonly report: (error: unknown) => void
}
