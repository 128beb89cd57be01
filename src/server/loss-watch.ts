import { BackgroundClock } from '../core/platform/background-clock.ts'
import type { Clock } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { randomKey } from './random-key.ts'

/** How often the database is looked at, in milliseconds: others wait five times as long for tokens to be written back. */
const EVERY = 500
/** The longest wait if the database always seems to be another one, in milliseconds. */
const LONGEST = 30_000
/** How long the entry is stored, in milliseconds. */
const LIFETIME = 86_400_000

/**
 * Notices that a database may have lost what was written last: it was started again, or is another server. Then the turn of an entry
 * that this process has written is suspect. For databases without messages: otherwise the process that finds a session suspect
 * asks the others.
 */
export class LossWatch {
  readonly #fleet: Pick<Fleet, 'acquire' | 'replace'>
  readonly #timers: BackgroundClock
  readonly #now: () => number
  readonly #isNeeded: () => boolean
  readonly #onLoss: () => unknown
  readonly #key = randomKey()
  #rotation = 0
  #isRunning = false
  #delay = EVERY
  #timer: unknown

  constructor(
    fleet: Pick<Fleet, 'acquire' | 'replace'>,
    clock: Clock,
    isNeeded: () => boolean,
    onLoss: () => unknown,
  ) {
    this.#fleet = fleet
    this.#timers = new BackgroundClock(clock)
    this.#now = () => clock.now()
    this.#isNeeded = isNeeded
    this.#onLoss = onLoss
  }

  /** Looks from now on, for as long as it is needed. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#look(() => {})
  }

  stop(): void {
    this.#timers.clearTimeout(this.#timer)
  }

  async #look(onLoss: () => unknown): Promise<void> {
    let next = onLoss
    try {
      const turn = await this.#fleet.acquire(this.#key, this.#key, undefined)
      const isLost = turn.result === 'granted' && turn.isSuspect
      this.#delay = isLost ? Math.min(2 * this.#delay, LONGEST) : EVERY
      if (isLost) {
        onLoss()
        await this.#write()
      }
      next = this.#onLoss
    } catch {
      // The database is down.
    }
    this.#isRunning = this.#isNeeded()
    if (this.#isRunning) this.#timer = this.#timers.setTimeout(() => void this.#look(next), this.#delay)
  }

  async #write(): Promise<void> {
    const until = this.#now() + LIFETIME
    const entry = { id: 'watch', rotation: ++this.#rotation, startedAt: 0, until, tags: [], box: '' }
    await this.#fleet.replace(this.#key, entry, undefined)
  }
}
