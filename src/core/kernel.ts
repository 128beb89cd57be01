import type { Mailbox } from './mailbox.ts'
import type { AuthOptions, Settings } from './options.ts'
import type { BoundedWork } from './platform/bounded-work.ts'
import type { Clock, Environment } from './ports.ts'

/** How tokens are used: by themselves, or with proofs of a key. */
export interface Binding {
  /** `undefined`: Bearer. */
  readonly tokenType: 'DPoP' | undefined
  /** The name of the key. */
  readonly keyId: string | undefined
}

/** The key that the tokens of a session are bound to. */
export interface ProofKey {
  /**
   * Looks at the key, which another tab or the app may have made. To be called before tokens are bound that come from the app.
   *
   * @throws StorageError
   */
  load(): Promise<void>
  /** How new tokens of that type are used, by its name in lower case; `undefined` if the type is unknown. */
  bind(tokenType: string | undefined): Binding | undefined
  /**
   * The user signed out.
   *
   * @param keyId the key of the session, if it is known
   * @param isElsewhere whether the user did so in another tab or process
   */
  forget(keyId: string | undefined, isElsewhere: boolean): void
}

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
  /** Only with the option `proof`. */
  proofKey?: ProofKey
  /** Reports an error of the app's own code. */
  readonly report: (error: unknown) => void
}
