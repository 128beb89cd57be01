import { isIdle } from '../../../machines/policies.ts'
import { checkNumber } from '../check-options.ts'
import type { Kernel } from '../kernel.ts'
import { BackgroundClock } from '../platform/background-clock.ts'
import { explainOptions } from '../platform/hints.ts'
import { isPromiseLike, whenDone } from '../platform/promise-like.ts'
import type { SessionRecord, SessionStorage } from '../ports.ts'
import type { CreateLimits, Limits } from '../session/limits.ts'
import type { Vault } from '../session/vault.ts'
import { ATTACH, type LimitsFeature } from './feature.ts'

/** How long a use may stay unwritten, in milliseconds; a tenth of the limit if that is less. */
const WRITE_EVERY = 5_000

/** How often the store is asked for an app that shows how long the session lasts, in milliseconds. */
const ASK_EVERY = 1_000

// Calls, because bundlers leave out unused constants only if nothing is read from an object.
const NEVER = /* @__PURE__ */ Number('Infinity')
const LONG_AGO = /* @__PURE__ */ Number('-Infinity')

/** Limits of a session, in milliseconds. */
export interface SessionLimitsOptions {
  /** How long a session may go without a request, in this tab and in all others that share the store. Default: no limit. */
  readonly idle?: number
  /** How long a session may last in all. Default: no limit. */
  readonly absolute?: number
}

/**
 * Limits how long a session may go unused, and how long it may last. A session that reaches a limit is `expired`, with the
 * reason `idle` or `lifetime`, and is revoked.
 *
 * @param options the limits, in milliseconds
 * @returns the value of the option `limits` of `createAuth`
 * @throws TypeError if a limit is not a number of at least 1
 *
 * @example
 * ```ts
 * createAuth({ refresh, limits: sessionLimits({ idle: 15 * 60_000, absolute: 8 * 3_600_000 }) })
 * ```
 */
export function sessionLimits(options: SessionLimitsOptions = {}): LimitsFeature {
  const { idle, absolute } = options
  explainOptions('sessionLimits', options, ['idle', 'absolute'])
  checkNumber('sessionLimits: idle', idle, 1)
  checkNumber('sessionLimits: absolute', absolute, 1)
  const attach: CreateLimits = (kernel, vault) =>
    new SessionLimits(kernel, vault, idle ?? NEVER, absolute ?? NEVER)
  return { kind: 'limits', idle: idle ?? NEVER, [ATTACH]: attach }
}

/**
 * The limits of one session. Each tab writes its own uses to the store now and then, the last one included. It reads the
 * uses of other tabs only when it would end the session for inactivity; until the store answers, the limit does not apply.
 */
class SessionLimits implements Limits {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #idle: number
  readonly #absolute: number
  readonly #timers: BackgroundClock
  /** The store, if it can hold the last use. */
  readonly #storage: SessionStorage | undefined
  /** The epoch that all of this is about. */
  #epoch = -1
  /** Whether the chart is in a state in which the session can end. */
  #isActive = false
  /** When the session was last used, as far as is known here. */
  #usedAt: number
  /** The use that was last written to the store, or read from it. */
  #written = LONG_AGO
  /** When the store last reported the uses of other tabs. */
  #answeredAt = LONG_AGO
  /** From when on a use has to be written. */
  #writeAt = NEVER
  /** By how much the clock was set back since the session began, as far as is known. */
  #setBack = 0
  #isAsking = false
  #usedWhileAsking = false
  #askAgainAt = LONG_AGO
  #writeTimer: unknown
  #limitTimer: unknown

  constructor(kernel: Kernel, vault: Vault, idle: number, absolute: number) {
    this.#kernel = kernel
    this.#vault = vault
    this.#idle = idle
    this.#absolute = absolute
    this.#timers = new BackgroundClock(kernel.clock)
    this.#usedAt = kernel.clock.now()
    const { storage } = kernel.options
    this.#storage = idle < NEVER && storage?.readLastUse ? storage : undefined
  }

  get endsAt(): number | undefined {
    if (!this.#vault.tokens) return undefined
    this.#refreshLastUse()
    const end = Math.min(this.#usedAt + this.#idle, this.#lifetimeEnd)
    return end < NEVER ? end : undefined
  }

  get isAsking(): boolean {
    return this.#isAsking
  }

  get isReached(): boolean {
    return this.#vault.tokens !== undefined && (this.#isIdle || this.#isTooOld)
  }

  use(now: number): boolean {
    this.#followEpoch()
    if (isIdle(this.#usedAt, this.#idle, now) || now >= this.#lifetimeEnd) return false
    this.#usedAt = now
    if (now >= this.#writeAt) this.#write()
    return true
  }

  touch(): void {
    this.#followEpoch()
    if (this.#isAsking) {
      this.#usedWhileAsking = true
      return
    }
    this.#usedAt = this.#now
    if (this.#usedAt >= this.#writeAt) this.#write()
  }

  check(): void {
    if (!this.#isActive || !this.#vault.tokens) return
    this.#ask()
    const reason = this.#isIdle ? 'idle' : this.#isTooOld ? 'lifetime' : undefined
    if (reason) this.#kernel.mailbox.send({ type: 'session.limitReached', reason })
  }

  followSession(isActive: boolean): void {
    this.#isActive = isActive
    if (!this.#vault.tokens) {
      this.#end()
      return
    }
    this.#followEpoch()
    this.check()
    this.#setTimer()
  }

  async lastUseOf({ startedAt }: SessionRecord): Promise<number | undefined> {
    const found = await this.#read()
    return this.#isPast(found) ? Math.max(startedAt, found) : undefined
  }

  dispose(): void {
    // A listener may dispose while a limit is checked: the check starts no timer after it.
    this.#isActive = false
    this.#stopTimers()
    if (this.#storage && this.#usedAt > this.#written) this.#put(this.#usedAt)
  }

  get #now(): number {
    return this.#kernel.clock.now()
  }

  get #lifetimeEnd(): number {
    return (this.#vault.tokens?.startedAt ?? NEVER) + this.#absolute - this.#setBack
  }

  /** Whether the session was unused for too long, and the store knows of no later use. */
  get #isIdle(): boolean {
    return isIdle(this.#usedAt, this.#idle, this.#now) && !this.#isAsking && this.#isConfirmed
  }

  /** Whether the store has been asked since the idle limit was reached. An answer from the future means that a clock was set back. */
  get #isConfirmed(): boolean {
    const answeredAt = this.#answeredAt
    return !this.#storage || (answeredAt >= this.#usedAt + this.#idle && answeredAt <= this.#now)
  }

  get #isTooOld(): boolean {
    return this.#now >= this.#lifetimeEnd
  }

  /** Notices a new session. A listener may use it before the step that begins it ends. */
  #followEpoch(): void {
    const { tokens, epoch, lastUse } = this.#vault
    if (!tokens || epoch === this.#epoch) return
    this.#epoch = epoch
    // What the clock did during the session before does not count.
    this.#stopTimers()
    // No session begins in the future.
    this.#setBack = Math.max(0, tokens.startedAt - this.#now)
    // Used right now, or last used at an instant that the store knows.
    this.#usedAt = lastUse ?? this.#now
    if (!this.#storage) return
    this.#answeredAt = this.#now
    if (lastUse === undefined) this.#write()
    else this.#writeAt = LONG_AGO
  }

  /** The session has ended: its last use is not written any more. */
  #end(): void {
    this.#stopTimers()
    this.#writeAt = NEVER
    this.#written = this.#usedAt
  }

  #stopTimers(): void {
    this.#timers.clearTimeout(this.#writeTimer)
    this.#timers.clearTimeout(this.#limitTimer)
    this.#limitTimer = undefined
  }

  /** Looks again when a limit is due. Uses until then only make the timer early. */
  #setTimer(): void {
    const due = Math.min(this.#usedAt + this.#idle, this.#lifetimeEnd)
    // During a sign-in, the limits have no effect: a timer for one that is reached would fire without pause.
    if (this.#limitTimer !== undefined || due === NEVER || !this.#isActive) return
    // At least a moment, or a limit that is not reached yet would be checked without pause.
    const least = this.#isAsking ? this.#kernel.settings.timeouts.storage : 1
    const delay = Math.max(least, due - this.#now)
    const firesAt = this.#now + delay
    this.#limitTimer = this.#timers.setTimeout(() => {
      this.#limitTimer = undefined
      // No timer fires early.
      this.#setBack += Math.max(0, firesAt - this.#now)
      // A use in the future means that the clock was set back: the session has been unused since then at least.
      this.#usedAt = Math.min(this.#usedAt, this.#now)
      this.check()
      if (this.#vault.tokens) this.#setTimer()
    }, delay)
  }

  #write(): void {
    this.#writeAt = NEVER
    this.#written = this.#usedAt
    this.#put(this.#written)
    this.#writeTimer = this.#timers.setTimeout(
      () => {
        if (this.#usedAt > this.#written) this.#write()
        else this.#writeAt = LONG_AGO
      },
      Math.min(WRITE_EVERY, this.#idle / 10),
    )
  }

  /** Writes a use, unless the store knows a later one. If it fails, the use counts here all the same. */
  #put(at: number): void {
    const write = (known: unknown) => {
      if (this.#isPast(known) && known >= at) return
      try {
        void Promise.resolve(this.#storage?.writeLastUse?.(at)).catch(() => {})
      } catch {}
    }
    void whenDone(this.#read(), write)
  }

  /** What the store knows: at once if it can answer at once, and never after `timeouts.storage`. */
  #read(): unknown {
    try {
      const found = this.#storage?.readLastUse?.()
      if (!isPromiseLike(found)) return found
      const { work, settings } = this.#kernel
      // Caught here as well: after `dispose` the work does not run.
      const answer = Promise.resolve(found).catch(() => undefined)
      return work.run(() => answer, settings.timeouts.storage).catch(() => undefined)
    } catch {
      return undefined
    }
  }

  /** A timestamp in the future means that a clock was set back: it is ignored. */
  #isPast(found: unknown): found is number {
    return typeof found === 'number' && found <= this.#now
  }

  #confirm(found: unknown): void {
    if (this.#isPast(found)) this.#usedAt = Math.max(this.#usedAt, found)
    this.#answeredAt = this.#now
  }

  /** Asks the store for the uses of other tabs, if the answer can change anything. */
  #ask(): void {
    if (this.#isAsking || this.#isConfirmed || !isIdle(this.#usedAt, this.#idle, this.#now)) return
    const found = this.#read()
    if (!isPromiseLike(found)) {
      this.#confirm(found)
      return
    }
    this.#isAsking = true
    void found.then((value) => {
      this.#isAsking = false
      this.#confirm(value)
      if (this.#usedWhileAsking && !this.#isIdle) this.touch()
      this.#usedWhileAsking = false
      // Requests may wait for this answer: the step that follows checks the limits, and releases or rejects them.
      this.#kernel.mailbox.send({ type: 'clock.check' })
    })
  }

  /** Reads the uses of other tabs for an app that shows how long the session lasts; a late answer counts next time. */
  #refreshLastUse(): void {
    if (!this.#storage || this.#isAsking || this.#now < this.#askAgainAt) return
    this.#askAgainAt = this.#now + ASK_EVERY
    void whenDone(this.#read(), (found) => this.#isAsking || this.#confirm(found))
  }
}
