import { BackgroundClock } from '../core/platform/background-clock.ts'
import type { Clock } from '../core/ports.ts'
import type { Resident } from './resident.ts'

/** How long a session that has ended may still revoke its tokens, in milliseconds. */
const AFTER_END = 15_000
/** How long a session may be refreshed that no task uses, in milliseconds. Its answer is stored even after it has left. */
const LONGEST_REFRESH = 60_000

/** The sessions that this process holds, in the order of their use. They leave when they are not used, or are too many. */
export class Residents {
  readonly #most: number
  readonly #idle: number
  readonly #clock: Clock
  readonly #timers: BackgroundClock
  /** By the key of the app, the one that was not used for the longest time first. */
  readonly #byKey = new Map<string, Resident>()
  readonly #byHash = new Map<string, Resident>()
  /** Sessions that have ended, and that a task or a revocation still uses. */
  readonly #ended = new Set<Resident>()
  #timer: unknown
  #isDisposed = false

  constructor(most: number, idle: number, clock: Clock) {
    this.#most = most
    this.#idle = idle
    this.#clock = clock
    this.#timers = new BackgroundClock(clock)
  }

  get size(): number {
    return this.#byKey.size
  }

  get(key: string): Resident | undefined {
    return this.#byKey.get(key)
  }

  withHash(hash: string): Resident | undefined {
    return this.#byHash.get(hash)
  }

  all(): readonly Resident[] {
    return [...this.#byKey.values()]
  }

  /** After `dispose` the session is only in the database. */
  add(resident: Resident): void {
    if (this.#isDisposed) {
      resident.auth.dispose()
      return
    }
    this.#byKey.set(resident.key, resident)
    this.#byHash.set(resident.hash, resident)
    if (this.#byKey.size > this.#most) this.#makeRoom()
    this.#wait()
  }

  /** A task begins to use a session. */
  enter(resident: Resident): void {
    resident.uses++
    resident.usedAt = this.#clock.now()
    this.#byKey.delete(resident.key)
    this.#byKey.set(resident.key, resident)
  }

  leave(resident: Resident): void {
    resident.uses--
    resident.usedAt = this.#clock.now()
  }

  /** The session has ended: no other task gets it. */
  end(resident: Resident): void {
    if (resident.endedAt !== undefined) return
    resident.endedAt = this.#clock.now()
    this.#remove(resident)
    this.#ended.add(resident)
    this.#wait()
  }

  /** Forgets all sessions. */
  dispose(): void {
    this.#isDisposed = true
    this.#timers.clearTimeout(this.#timer)
    for (const resident of [...this.#byKey.values(), ...this.#ended]) resident.auth.dispose()
    this.#byKey.clear()
    this.#byHash.clear()
    this.#ended.clear()
  }

  #remove(resident: Resident): void {
    if (this.#byKey.get(resident.key) === resident) this.#byKey.delete(resident.key)
    if (this.#byHash.get(resident.hash) === resident) this.#byHash.delete(resident.hash)
  }

  #wait(): void {
    if (this.#byKey.size === 0 && this.#ended.size === 0) return
    this.#timer ??= this.#timers.setTimeout(() => this.#sweep(), Math.max(100, this.#idle / 4))
  }

  #sweep(): void {
    this.#timer = undefined
    const now = this.#clock.now()
    for (const resident of this.#byKey.values()) {
      const unused = now - resident.usedAt
      // All that follow were used later. If a clock was set back, they wait longer.
      if (unused < this.#idle) break
      if (resident.mayLeave || (unused >= this.#idle + LONGEST_REFRESH && isStuck(resident)))
        this.#evict(resident)
    }
    for (const resident of this.#ended) {
      if (resident.uses > 0 || now - (resident.endedAt ?? 0) < AFTER_END) continue
      this.#ended.delete(resident)
      resident.auth.dispose()
    }
    this.#wait()
  }

  /** Lets the sessions leave that were not used for the longest time. Those in use stay, even if they are too many. */
  #makeRoom(): void {
    let tooMany = this.#byKey.size - this.#most
    for (const resident of this.#byKey.values()) {
      if (tooMany <= 0) return
      if (!resident.mayLeave) continue
      this.#evict(resident)
      tooMany--
    }
  }

  #evict(resident: Resident): void {
    this.#remove(resident)
    resident.auth.dispose()
  }
}

/** The token endpoint has not answered for a long time: the session waits in the database instead of here. */
const isStuck = ({ uses, store }: Resident): boolean => uses === 0 && !store.isBehind
