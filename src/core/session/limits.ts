import type { Kernel } from '../kernel.ts'
import type { SessionRecord } from '../ports.ts'
import type { Vault } from './vault.ts'

/** How long a session may go unused, and how long it may last. A session without limits has `UNLIMITED`. */
export interface Limits {
  /** When the session ends unless it is used before, in milliseconds since the Unix epoch. */
  readonly endsAt: number | undefined
  /** Whether a use now has to wait: the store is being asked whether another tab used the session. */
  readonly isAsking: boolean
  /** Whether the session has ended, or is about to, by one of its limits. */
  readonly isReached: boolean
  /** Records a use. Returns false if the limits have to be checked before. */
  use(now: number): boolean
  /** Records a use, after a check. */
  touch(): void
  /** Looks whether a limit is reached, and asks the store if it can know better. */
  check(): void
  /** The chart has made a step: the session may have begun or ended. */
  followSession(isActive: boolean): void
  /** When the session of a record was last used; `undefined` if that is not known. */
  lastUseOf(record: SessionRecord): Promise<number | undefined>
  dispose(): void
}

/** What `limits` brings along. */
export type CreateLimits = (kernel: Kernel, vault: Vault) => Limits

const nothing = () => {}

export const UNLIMITED: Limits = {
  endsAt: undefined,
  isAsking: false,
  isReached: false,
  use: () => true,
  touch: nothing,
  check: nothing,
  followSession: nothing,
  lastUseOf: async () => undefined,
  dispose: nothing,
}
