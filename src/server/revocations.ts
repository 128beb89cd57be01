import type { AuthOptions, RevocableTokens } from '../core/options.ts'
import { BackgroundClock } from '../core/platform/background-clock.ts'
import { PatientClock } from '../core/platform/patient-clock.ts'
import type { Clock, Signal } from '../core/ports.ts'
import { classifyFailure } from '../core/session/failure.ts'
import { findAll } from '../fleet/find-all.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { hashKey } from './hash-key.ts'
import type { KeyRing } from './key-ring.ts'
import { open, seal } from './seal.ts'
import { placeOfTokens, REVOCATION } from './session-box.ts'

type Revoke = NonNullable<AuthOptions<never>['revoke']>

/** How long it is tried, in milliseconds. */
const LIFETIME = 86_400_000
/** How often a process tries at most, in milliseconds, and how many at once. */
const EVERY = 60_000
const MOST = 20

/**
 * Revokes tokens of sessions that have ended (RFC 7009). What the server did not answer is kept in the fleet, sealed, for a day:
 * each process that is used tries again now and then.
 */
export class Revocations {
  readonly #fleet: Fleet
  readonly #keys: KeyRing
  readonly #clock: Clock
  readonly #timers: BackgroundClock
  readonly #revoke: Revoke | undefined
  readonly #timeout: number
  /** When kept ones were last tried. */
  #triedAt = Number.NEGATIVE_INFINITY
  #isTrying = false
  /** The key of the one that was tried last, in the order of their keys. */
  #last = ''
  /** What this process has kept, so that a second attempt that succeeds removes it. */
  readonly #kept = new Map<string, Promise<unknown>>()
  /** How much of what `count` was given is under way. */
  #running = 0
  /** Give up what runs. */
  readonly #controllers = new Set<AbortController>()
  #isClosed = false

  constructor(
    fleet: Fleet,
    keys: KeyRing,
    clock: Clock,
    { revoke, timeouts }: Pick<AuthOptions<never>, 'revoke' | 'timeouts'>,
  ) {
    this.#fleet = fleet
    this.#keys = keys
    this.#clock = new PatientClock(clock)
    this.#timers = new BackgroundClock(clock)
    this.#revoke = revoke
    this.#timeout = timeouts?.revoke ?? 5_000
  }

  /** The `revoke` function of the sessions; `undefined` if the app gave none. */
  get port(): Revoke | undefined {
    return this.#revoke && ((tokens, { signal }) => this.count(this.#attempt(tokens, signal)))
  }

  /** Whether sessions are being ended, or tokens revoked or kept. */
  get isBusy(): boolean {
    return this.#running > 0
  }

  /** Counts work that `dispose` of the pool waits for. */
  async count<T>(work: Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work
    } finally {
      this.#running--
    }
  }

  /** Keeps what the server has not answered yet, instead of waiting for it. */
  close(): void {
    this.#isClosed = true
    for (const controller of this.#controllers) controller.abort()
  }

  /** Revokes tokens in bounded time. Never rejects. */
  async revoke(tokens: RevocableTokens): Promise<void> {
    await this.#bounded((signal) => this.#attempt(tokens, signal)).catch(() => {})
  }

  /** Tries again what was kept, in the background, if the last time is long ago. */
  tryAgain(): void {
    const now = this.#clock.now()
    if (!this.#revoke || this.#isTrying || (now >= this.#triedAt && now - this.#triedAt < EVERY)) return
    this.#triedAt = now
    this.#isTrying = true
    const done = () => {
      this.#isTrying = false
    }
    this.#tryKept().then(done, done)
  }

  /** Tries the next ones. After the last one it begins again, so that those that fail leave room for others. */
  async #tryKept(): Promise<void> {
    const keys = [...(await findAll(this.#fleet, REVOCATION))].sort()
    const later = keys.filter((key) => key > this.#last)
    const next = [...later, ...keys.slice(0, keys.length - later.length)].slice(0, MOST)
    this.#last = next.at(-1) ?? ''
    await Promise.all(next.map((key) => this.#tryOne(key).catch(() => {})))
  }

  async #tryOne(key: string): Promise<void> {
    const stored = await this.#fleet.read(key)
    if (!stored) return
    const tokens = JSON.parse(await open(this.#keys, placeOfTokens(key), stored.box)) as RevocableTokens
    await this.#bounded(async (signal) => {
      try {
        await this.#call(tokens, signal)
      } catch (error) {
        // A refusal is final.
        if (!(await this.#isFatal(error, signal))) throw error
      }
    })
    await this.#fleet.remove(key)
  }

  /** Calls the app's function once, and keeps what it should be called with again. */
  async #attempt(tokens: RevocableTokens, signal: Signal): Promise<void> {
    const name = `${REVOCATION} ${tokens.refreshToken ?? tokens.accessToken}`
    try {
      await this.#call(tokens, signal)
      // An attempt before this one may have failed.
      if (this.#kept.has(name)) await this.#forget(name)
    } catch (error) {
      await this.#keepUnlessRefused(name, tokens, error, signal)
      throw error
    }
  }

  async #call(tokens: RevocableTokens, signal: Signal): Promise<void> {
    if (!this.#revoke) return
    const answer = await untilAborted(this.#revoke(tokens, { signal }), signal)
    const { ok, error } = Object(answer) as { readonly ok?: unknown; readonly error?: unknown }
    if (ok === false || typeof error === 'string') throw answer
  }

  async #keepUnlessRefused(
    name: string,
    tokens: RevocableTokens,
    error: unknown,
    signal: Signal,
  ): Promise<void> {
    if ((await this.#isFatal(error, signal)) || this.#kept.has(name)) return
    const kept = this.#keep(name, tokens).catch(() => {})
    this.#kept.set(name, kept)
    this.#timers.setTimeout(() => this.#kept.delete(name), EVERY)
    await kept
  }

  async #isFatal(error: unknown, signal: Signal): Promise<boolean> {
    // A copy, because the core reads the body of an answer as well.
    const readable = error instanceof Response ? error.clone() : error
    return (await classifyFailure(readable, { now: this.#clock.now(), offline: false, signal })).fatal
  }

  async #keep(name: string, tokens: RevocableTokens): Promise<void> {
    // A hash of the token, so that processes that fail at the same one keep it once.
    const key = await hashKey(name)
    const now = this.#clock.now()
    const box = await seal(this.#keys, placeOfTokens(key), JSON.stringify(tokens))
    const entry = { id: key, rotation: 0, startedAt: now, until: now + LIFETIME, tags: [REVOCATION], box }
    await this.#fleet.replace(key, entry, undefined)
  }

  async #forget(name: string): Promise<void> {
    await this.#kept.get(name)
    this.#kept.delete(name)
    await this.#fleet.remove(await hashKey(name)).catch(() => {})
  }

  async #bounded(work: (signal: Signal) => Promise<void>): Promise<void> {
    const controller = new AbortController()
    const timer = this.#clock.setTimeout(() => controller.abort(), this.#timeout)
    this.#controllers.add(controller)
    if (this.#isClosed) controller.abort()
    try {
      await work(controller.signal as Signal)
    } finally {
      this.#controllers.delete(controller)
      this.#clock.clearTimeout(timer)
    }
  }
}

/** Many functions ignore the signal. */
function untilAborted<T>(work: T | PromiseLike<T>, signal: Signal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new DOMException('The server did not answer in time.', 'TimeoutError'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}
