import type { Mailbox } from './mailbox.ts'
import type { AuthOptions, Settings } from './options.ts'
import type { BoundedWork } from './platform/bounded-work.ts'
import type { Clock, Environment } from './ports.ts'

/** How tokens are used: by themselves, or with proofs of a key. */
export interface Binding {
  /** `undefined`: Bearer. */
  readonly tokenType: 'DPoP' | undefined
  /** The name of the key, if the port `proof` keeps it. */
  readonly keyId: string | undefined
  /** The key itself, if the session keeps it. */
  readonly proofKey?: object | undefined
}

/** The key that the tokens of a session are bound to. */
export interface ProofKey {
  /**
   * Looks at the key, which another tab or the app may have made. To be called before tokens are bound that come from the app.
   *
   * @throws StorageError
   */
  load(): Promise<void>
  /**
   * How new tokens of that type are used, by its name in lower case.
   *
   * @param answer may have the key of the session itself
   * @param previous the tokens before: they have it, too
   * @returns `undefined` if the type says nothing about a key
   */
  bind(
    tokenType: string | undefined,
    answer: { readonly proofKey?: unknown },
    previous: Partial<Binding> | undefined,
  ): Binding | undefined
  /**
   * The user signed out.
   *
   * @param ended the tokens of the session, if they are known
   * @param isElsewhere whether the user did so in another tab or process
   */
  forget(ended: Partial<Binding> | undefined, isElsewhere: boolean): void
}

/** What every part of one session may use. */
export interface Kernel {
  /** What the app gave. The server of a worker wraps the functions, and so does `proof`. */
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
