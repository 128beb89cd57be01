import { nextRetry } from '../../../machines/policies.ts'
import type { RefreshFailure, TokenFacts } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import { Abandoned } from '../platform/bounded-work.ts'
import type { FailureCause } from './failure.ts'
import type { GuardedTurn } from './guarded-turn.ts'
import type { Revocation } from './revocation.ts'
import type { Sharing } from './sharing.ts'
import { isFailure, requestTokens, timeoutFailure } from './token-request.ts'
import type { Tokens } from './token-response.ts'
import type { Mark, Vault } from './vault.ts'

/** The session changed during the refresh. The chart has left its state by then and reads nothing of this. */
const DISCARDED: RefreshFailure = /* @__PURE__ */ Object.freeze({
  fatal: false,
  ambiguous: false,
  reason: 'discarded',
  retryAt: 0,
  notBefore: 0,
})

/** A call of `refresh` that took longer than `timeouts.refresh`. Its answer may still come. */
interface LateCall {
  readonly mark: Mark
  readonly refreshToken: string | undefined
  readonly answer: Promise<Tokens>
  /** Resolves when the answer is stored, or will not come. */
  readonly ended: Promise<void>
  /** Whether an attempt waits for the answer, and commits it. */
  isJoined: boolean
}

/** A late call that failed without an answer brings none any more. */
function withoutAnswer(error: unknown): undefined {
  if (!isFailure(error) || error.fatal || error.status !== undefined) throw error
}

/** One attempt to refresh at a time: under the lock, and committed by compare-and-set. */
export class Refresh {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #sharing: Sharing
  readonly #revocation: Revocation
  #running: { readonly mark: Mark; readonly promise: Promise<TokenFacts> } | undefined
  /** The last attempt that got the lock. */
  #attempted: Promise<unknown> | undefined
  /** Resolves when the last answer is stored. */
  #stored: Promise<boolean> | undefined
  /** The last late call, until it is joined: its refresh token must not be presented again before. */
  #late: LateCall | undefined
  /** A silent sign-in starts a new epoch. Earlier attempts of it belong to that epoch as well. */
  #started: Mark | undefined
  #lastCause: Error | undefined

  constructor(kernel: Kernel, vault: Vault, sharing: Sharing, revocation: Revocation) {
    this.#kernel = kernel
    this.#vault = vault
    this.#sharing = sharing
    this.#revocation = revocation
  }

  /** The error underneath the last failure, for the errors of requests that waited. */
  get lastCause(): Error | undefined {
    return this.#lastCause
  }

  /**
   * Makes one attempt. An attempt for the same tokens that is still running is joined.
   *
   * @param attempt failed attempts before this one
   * @throws RefreshFailure
   */
  run(attempt: number): Promise<TokenFacts> {
    const mark = this.#vault.mark()
    if (this.#running?.mark.revision === mark.revision) return this.#running.promise
    const promise = new Promise<TokenFacts>((resolve, reject) => {
      const run = (turn?: GuardedTurn) => {
        const attempted = this.#attempt(mark, attempt, resolve, turn)
        this.#attempted = attempted
        return attempted
      }
      const isWanted = () => this.#vault.isCurrent(mark)
      const sharing = this.#sharing
      const late = () => (this.#outlives ? (this.#lateCall?.ended ?? sharing.late) : undefined)
      const turns = sharing.branches ?? sharing
      turns
        .withLock({ run, late, isWanted })
        .catch((error) => reject(isFailure(error) ? this.#fail(error, attempt) : error))
    })
    const running = { mark, promise }
    this.#running = running
    const clear = () => {
      if (this.#running === running) this.#running = undefined
    }
    promise.then(clear, clear)
    return promise
  }

  /** After `dispose`: resolves when the answer to a refresh token that was sent is stored, or will not come. */
  get sent(): Promise<unknown> | undefined {
    return this.#kernel.work.isBusy ? this.#attempted : this.#stored
  }

  /** Resolves when the store is done; `commit` is called before, as soon as the tokens are announced. */
  async #attempt(
    mark: Mark,
    attempt: number,
    commit: (facts: TokenFacts) => void,
    turn: GuardedTurn | undefined,
  ): Promise<void> {
    const vault = this.#vault
    // A session that expired before its turn must not come back from a store that cannot be cleared.
    if (!vault.isCurrent(mark)) throw DISCARDED
    const merged = await this.#sharing.reload()
    if (merged) return commit(merged.facts)
    if (!vault.isCurrent(mark)) throw DISCARDED
    const rotation = vault.tokens?.rotation
    let answer: Tokens
    try {
      const sent = vault.tokens?.refreshToken
      answer = await this.#request(mark, turn)
      if (!this.#commit(mark, answer, sent)) {
        turn?.settle()
        if (vault.isCurrent(mark)) return this.#attempt(mark, attempt, commit, turn)
        throw DISCARDED
      }
    } catch (error) {
      if (!isFailure(error)) throw error
      // Another tab may have refreshed with this refresh token first; then the rejection concerns only this attempt.
      if (!error.ambiguous) turn?.settle()
      const saved = error.fatal ? await this.#sharing.reload() : undefined
      if (saved) return commit(saved.facts)
      if (error.fatal && vault.tokens?.rotation !== rotation)
        return this.#attempt(mark, attempt, commit, turn)
      throw this.#fail(error, attempt)
    }
    this.#stored = this.#store(answer, commit)
    if (!(await this.#stored)) throw DISCARDED
  }

  /**
   * Stores what was committed. What is announced must be true for the next page: `announce` is called once it is stored, if
   * the session is still the same. Resolves to whether it is, when the store is done.
   */
  async #store(answer: Tokens, announce: (facts: TokenFacts) => void): Promise<boolean> {
    const vault = this.#vault
    const committed = vault.mark()
    const stored = this.#sharing.persist(true)
    // Another process has ended the session, and knows only the tokens before.
    if (stored && (await stored) === 'gone') this.#revocation.discard(answer, true, committed.epoch)
    const isSame = vault.isCurrent(committed)
    if (isSame) announce(vault.publish())
    // Under the lock still: a tab that waits for it must find these tokens in the store.
    await this.#sharing.idle()
    return isSame
  }

  async #request(mark: Mark, turn: GuardedTurn | undefined): Promise<Tokens> {
    const { tokens } = this.#vault
    let late = this.#lateCall
    this.#late = undefined
    try {
      if (late) {
        late.isJoined = true
        const { answer } = late
        const { work, settings } = this.#kernel
        const joined = await work
          .run(() => answer, settings.timeouts.refresh, this.#outlives)
          .catch(withoutAnswer)
        if (joined) return joined
        // The answer to an earlier call has come meanwhile.
        if (!this.#vault.isCurrent(mark)) throw DISCARDED
        late = undefined
      }
      if (turn) await turn.present(this.#vault)
      if (!this.#vault.isCurrent(mark)) throw DISCARDED
      return await requestTokens(this.#kernel, tokens, this.#outlives)
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error
      const call = this.#commitWhenLate(error.result, mark, tokens?.refreshToken)
      // An answer that two attempts have waited for may never come: the next one presents the token again.
      if (!late && !error.reason) this.#late = call
      throw error.reason ?? timeoutFailure()
    }
  }

  /** With rotation, the answer holds the only refresh token that works: it must reach the store, the cookie, or the branches. */
  get #outlives(): boolean {
    return this.#sharing.restores || this.#vault.isInCookie || !!this.#sharing.branches
  }

  /** The late call with the refresh token that the next attempt would present. */
  get #lateCall(): LateCall | undefined {
    const late = this.#late
    const vault = this.#vault
    return late && vault.isCurrent(late.mark) && late.refreshToken === vault.tokens?.refreshToken
      ? late
      : undefined
  }

  /** With rotation, a late answer holds the only refresh token that still works. */
  #commitWhenLate(answer: Promise<Tokens>, mark: Mark, refreshToken: string | undefined): LateCall {
    const commit = async (tokens: Tokens) => {
      if (call.isJoined) return
      if (this.#late === call) this.#late = undefined
      await this.#commitLate(mark, tokens, refreshToken)
    }
    const ended = answer.then(commit, () => {})
    const call: LateCall = { mark, refreshToken, answer, ended, isJoined: false }
    return call
  }

  async #commitLate(mark: Mark, answer: Tokens, sent: string | undefined): Promise<void> {
    if (!this.#commit(mark, answer, sent)) return
    this.#stored = this.#store(answer, (facts) =>
      this.#kernel.mailbox.send({ type: 'tokens.received', facts, refreshed: true }),
    )
    await this.#stored
  }

  /** @param sent the refresh token that was answered: if another tab left a newer one, that one must not be lost */
  #commit(mark: Mark, tokens: Tokens, sent: string | undefined): boolean {
    const vault = this.#vault
    if (vault.tokens?.refreshToken === sent && vault.refresh(mark, tokens)) {
      if (vault.epoch !== mark.epoch) this.#started = { epoch: vault.epoch, revision: mark.revision }
      return true
    }
    const epoch = this.#started?.revision === mark.revision ? this.#started.epoch : mark.epoch
    this.#revocation.discard(tokens, epoch !== vault.epoch || !vault.tokens, epoch)
    return false
  }

  #fail(
    { fatal, ambiguous, reason, status, retryAfter, cause }: FailureCause,
    attempt: number,
  ): RefreshFailure {
    this.#lastCause = cause
    const { clock, settings } = this.#kernel
    return Object.freeze({
      fatal,
      ambiguous,
      reason,
      ...(status !== undefined && { status }),
      ...nextRetry(settings.retry, attempt, retryAfter ?? 0, clock.now(), Math.random()),
    })
  }
}
