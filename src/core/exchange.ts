import type { AuthEvent, ExchangeFailure, Reason, TokenFacts } from '../../machines/index.ts'
import { classifyFailure, type Failure, type FailureVerdict } from './failure.ts'
import type { LastUse } from './last-use.ts'
import { onAbort } from './on-abort.ts'
import type { AuthOptions, Settings } from './options.ts'
import { createAbortController } from './platform.ts'
import type { Clock, Coordinator, Environment, SessionRecord } from './ports.ts'
import type { Overtaken, SessionStore } from './session-store.ts'
import type { Timed } from './timed.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'
import type { Mark, Vault } from './vault.ts'

export interface ExchangeOptions {
  readonly vault: Vault
  readonly store: SessionStore
  readonly lastUse: LastUse
  readonly clock: Clock
  readonly environment: Environment
  readonly coordinator: Coordinator | undefined
  readonly timed: Timed
  readonly settings: Settings
  readonly refresh: AuthOptions['refresh']
  readonly isFatal: ((error: unknown, verdict: FailureVerdict) => boolean | undefined) | undefined
  /** Tells the chart. */
  readonly send: (event: AuthEvent) => void
  /** Tells siblings that the store changed. */
  readonly announceChange: () => void
  /** Tokens that nobody may use any more. */
  readonly discard: (tokens: Tokens, revoke: boolean) => void
}

/** The token exchange: one try, under the coordinator's lock, committed by compare-and-set. */
export function createExchange(options: ExchangeOptions) {
  const { vault, store, clock, environment, coordinator, timed, settings, send } = options
  const leaner = settings.persist !== 'all'
  let running: { mark: Mark; promise: Promise<TokenFacts> } | undefined
  /** What the last failure looked like underneath, for the errors of those who waited. */
  let lastCause: Error | undefined
  const lifetime = createAbortController()

  /** Somebody took the session away: what is under way for it is over. */
  function endedElsewhere(mark: Mark) {
    if (!vault.tokens || !vault.isCurrent(mark)) return
    vault.invalidate()
    send({ type: 'session.removed' })
  }

  /** Takes over what a sibling left in the store, where that is newer. Fails where the store cannot be read. */
  async function readSession() {
    const mark = vault.mark()
    const record = await store.read()
    if (record === 'unreadable') throw UNREADABLE
    if (record === 'gone' && store.keeps) endedElsewhere(mark)
    return typeof record === 'object' ? takeOver(record, mark) : undefined
  }

  /** Takes a record over that was read, where it is newer than what is held. */
  async function takeOver(record: SessionRecord, mark: Mark) {
    const lastUse = record.id === vault.id ? undefined : await options.lastUse.ofStore(record)
    // Whoever signed out while the store was read must not come back by it.
    if (!vault.tokens && !vault.isCurrent(mark)) return undefined
    const adopted = vault.adopt(record, lastUse)
    // Left there by a visit that was told to keep more.
    if (adopted && leaner && (record.accessToken ?? record.idToken ?? null) !== null) void keep(true)
    return adopted
  }

  /** The same, where a store that fails must not stop what it is done for. */
  const adoptNewer = () => readSession().catch(() => undefined)

  /** A silent sign-in begins a session: its other tries are of that session, too, though its epoch is newer than theirs. */
  let begun: Mark | undefined

  /** `presented`: the refresh token that they were given for. A sibling may have left a newer one, which is not to be lost. */
  function commit(mark: Mark, tokens: Tokens, presented: string | undefined): TokenFacts | undefined {
    const facts = vault.tokens?.refreshToken === presented ? vault.renew(mark, tokens) : undefined
    if (facts) {
      if (facts.epoch !== mark.epoch) begun = { epoch: facts.epoch, change: mark.change }
      return facts
    }
    const epoch = begun?.change === mark.change ? begun.epoch : mark.epoch
    // A token family dies as a whole when one of it is revoked, so only tokens of a session that is over are revoked.
    options.discard(tokens, epoch !== vault.epoch || !vault.tokens)
    return undefined
  }

  /** Writes the session down; a renewal gives way to what others did to the store meanwhile. */
  async function keep(renewal = false) {
    const mark = vault.mark()
    let overtaken: Overtaken | undefined
    await store.save(
      (lean = leaner) => (vault.isCurrent(mark) ? vault.record(lean) : undefined),
      renewal
        ? (by) => {
            overtaken = by
          }
        : undefined,
    )
    if (overtaken === 'gone') endedElsewhere(mark)
    else if (overtaken === 'newer') send({ type: 'session.sync' })
    else options.announceChange()
  }

  async function request(mark: Mark): Promise<Tokens> {
    const previous = vault.tokens
    const { refreshToken, scope } = previous ?? {}
    const known = vault.secrets()
    return timed.run(
      async (signal) => {
        try {
          const response = await read(await options.refresh({ refreshToken, scope, signal }))
          return parseTokenResponse(response, clock.now(), true, previous)
        } catch (error) {
          // Reading the body of a thrown response takes time too, and that time is bounded with the rest.
          throw await classifyFailure(error, {
            now: clock.now(),
            offline: !environment.online(),
            secrets: known,
            isFatal: options.isFatal,
          }).catch(() => plainFailure('refresh_failed', 'The refresh function failed', false))
        }
      },
      settings.timeouts.refresh,
      () => plainFailure('timeout', 'The refresh function got no answer within timeouts.refresh', true),
      (tokens) => {
        // Better late than never: while nothing else happened to the session, these are its tokens.
        const facts = commit(mark, tokens, refreshToken)
        if (facts) {
          send({ type: 'session.adopt', facts, works: true, renewal: true })
          void keep(true)
        }
      },
    )
  }

  async function attempt(mark: Mark, tries: number, done: (facts: TokenFacts) => void) {
    const adopted = await adoptNewer()
    if (adopted) return done(adopted.facts)
    if (!vault.isCurrent(mark)) throw discarded
    const { rotation } = vault
    try {
      if (!environment.online()) throw plainFailure('offline', 'There is no network', false)
      const presented = vault.tokens?.refreshToken
      const facts = commit(mark, await request(mark), presented)
      if (!facts && vault.isCurrent(mark)) return attempt(mark, tries, done)
      if (!facts) throw discarded
      done(facts)
    } catch (error) {
      if (!isFailure(error)) throw error
      // A sibling may have won the race for this refresh token, and then the refusal is about the loser only.
      const saved = error.fatal ? await adoptNewer() : undefined
      if (saved) return done(saved.facts)
      if (error.fatal && vault.rotation !== rotation) return attempt(mark, tries, done)
      lastCause = error.cause
      throw outcome(error, tries)
    }
    // Under the lock still: a sibling that waits for it must find these tokens in the store.
    return keep(true)
  }

  function outcome(failure: Failure, tries: number): ExchangeFailure {
    const { fatal, uncertain, reason, status, retryAfter: told = 0 } = failure
    const { minDelay, maxDelay, jitter } = settings.retry
    const ceiling = Math.min(maxDelay, minDelay * 2 ** tries)
    const backoff = ceiling * (1 - jitter * Math.random())
    const now = clock.now()
    return Object.freeze({
      fatal,
      uncertain,
      reason,
      ...(status !== undefined && { status }),
      retryAt: now + Math.max(backoff, told),
      notBefore: told > 0 ? now + told : 0,
    })
  }

  /** Runs under the lock where there is one. A lock that cannot be had is no reason to wait: the commit is guarded. */
  async function locked<T>(task: () => Promise<T>, lock = settings.timeouts.lock): Promise<T> {
    if (!coordinator) return task()
    let started: Promise<T> | undefined
    const once = () => {
      started ??= task()
      return started
    }
    let giveUp = () => {}
    const patience = new Promise<void>((resolve) => {
      giveUp = resolve
    })
    const timer = clock.setTimeout(giveUp, lock)
    const ignore = onAbort(lifetime.signal, giveUp)
    try {
      const turn = coordinator.exclusive('refresh', once, { signal: lifetime.signal, timeout: lock })
      await Promise.race([turn, patience])
    } catch {
      // Either the task failed, and says so below, or the lock did.
    } finally {
      clock.clearTimeout(timer)
      ignore()
    }
    if (lifetime.signal.aborted) throw lifetime.signal.reason
    return once()
  }

  return {
    get lastCause() {
      return lastCause
    },
    readSession,
    takeOver,
    keep,

    /**
     * Cookie mode: whatever is answered with a cookie takes turns, or a late answer would put the cookie of another session
     * back. Of its `time`, in milliseconds, half at most is spent on waiting; the task is told what is left.
     */
    inTurn<T>(task: (left: number) => Promise<T>, time: number): Promise<T> {
      if (!vault.isInCookie) return task(time)
      const began = clock.now()
      const left = () => Math.min(time, Math.max(time / 2, time - (clock.now() - began)))
      return locked(() => task(left()), Math.min(time / 2, settings.timeouts.lock))
    },

    /** One try. A try that is still under way for the same tokens is joined, not repeated. */
    exchange(tries: number): Promise<TokenFacts> {
      const mark = vault.mark()
      if (running?.mark.change === mark.change) return running.promise
      const promise = new Promise<TokenFacts>((resolve, reject) => {
        locked(() => attempt(mark, tries, resolve)).catch(reject)
      })
      const mine = { mark, promise }
      running = mine
      const clear = () => {
        if (running === mine) running = undefined
      }
      promise.then(clear, clear)
      return promise
    },

    dispose(reason: unknown) {
      lifetime.abort(reason)
    },
  }
}

/** The session moved on while the exchange was under way. The chart has left by then; nobody reads this. */
const discarded: ExchangeFailure = Object.freeze({
  fatal: false,
  uncertain: false,
  reason: 'discarded',
  retryAt: 0,
  notBefore: 0,
})

/** The chart is told that the store failed; the app has heard why by then. */
const UNREADABLE = Object.freeze({ reason: 'storage_failed' })

const plainFailure = (reason: Reason, message: string, uncertain: boolean): Failure => ({
  fatal: false,
  uncertain,
  reason,
  status: undefined,
  retryAfter: undefined,
  cause: new Error(message),
})

const isFailure = (value: unknown): value is Failure =>
  typeof value === 'object' && value !== null && 'retryAfter' in value

/** People return the `Response`, or an error body they did not look at. Both say what they are. */
export async function read(value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value
  const { ok, json, error, access_token, accessToken } = value as Record<string, unknown>
  if (typeof json === 'function' && typeof ok === 'boolean') {
    if (!ok) throw value
    return read(await json.call(value))
  }
  if (typeof error === 'string' && access_token === undefined && accessToken === undefined) throw value
  return value
}
