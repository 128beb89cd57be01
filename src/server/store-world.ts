import type { Clock } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { KeyRing } from './key-ring.ts'

/** What the stores of one process share. */
export interface StoreWorld {
  readonly fleet: Fleet
  readonly keys: KeyRing
  readonly clock: Clock
  /** How long a session without a known end is stored after it was written last, in milliseconds. */
  readonly ttl: number
  /** How often a use is written at most, in milliseconds. */
  readonly lastUseEvery: number
  /** An operation failed. Until one succeeds, `look` has to be called from time to time. */
  failed(store: Looking): void
  succeeded(store: Looking): void
}

/** A store that looks for what has changed. */
export interface Looking {
  /** Makes the session compare what it holds with what is stored. */
  look(): void
}
