import { AuthError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Signal } from '../ports.ts'
import { classifyFailure, type FailureCause } from './failure.ts'
import type { Revocable, RevocationList } from './revocable.ts'
import type { Sharing } from './sharing.ts'
import { isFailure, timeoutFailure } from './token-request.ts'
import type { Tokens } from './token-response.ts'
import type { Vault } from './vault.ts'

/** Revokes tokens that must not be used any more (RFC 7009), in bounded time. */
export class Revocation implements RevocationList {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #sharing: Sharing
  /** Tokens to revoke at the next `revokeAdded`. */
  #added: Revocable[] = []

  constructor(kernel: Kernel, vault: Vault, sharing: Sharing) {
    this.#kernel = kernel
    this.#vault = vault
    this.#sharing = sharing
  }

  get isEmpty(): boolean {
    return this.#added.length === 0
  }

  add(tokens: Revocable): void {
    this.#added.push(tokens)
  }

  /** Revokes what was added, and waits for that for at most `timeouts.revoke`. Never rejects. */
  async revokeAdded(): Promise<void> {
    const added = this.#added
    this.#added = []
    if (added.length === 0) return
    const revoked = added.map((tokens) =>
      // Without tokens, the server identifies the session by the cookie: it may belong to a later sign-in by then.
      this.#revoke(tokens, () => !tokens.accessToken && !tokens.refreshToken && !!this.#vault.tokens),
    )
    const { work, settings } = this.#kernel
    await work.run(() => Promise.all(revoked), settings.timeouts.revoke).catch(() => {})
  }

  /** Revokes tokens in the background. */
  revokeNow(tokens: Revocable): void {
    void this.#revoke(tokens, () => this.#vault.isCookieTaken)
  }

  /**
   * Discards tokens that arrived too late.
   *
   * @param sessionEnded revokes them. Revoking one token revokes its whole family, so tokens of a living session are only
   * dropped.
   * @param epoch of the session that they were requested for
   */
  discard(tokens: Tokens, sessionEnded: boolean, epoch?: number): void {
    const vault = this.#vault
    const isSpared = epoch !== undefined && vault.isSpared(epoch, tokens)
    if (sessionEnded && !isSpared && !vault.isCookieTaken) this.revokeNow(tokens)
    const reason = sessionEnded ? 'session_over' : 'superseded'
    this.#kernel.mailbox.send({ type: 'tokens.discarded', reason })
  }

  /** Attempts it twice. If both fail, the tokens stay valid on the server until they expire. Never rejects. */
  async #revoke(tokens: Revocable, belongsToAnother: () => boolean): Promise<void> {
    const { settings, work, mailbox } = this.#kernel
    let failure = await this.#attempt(tokens, belongsToAnother)
    // A refusal is final, and so is an error of the library: the function used a client of its own session.
    if (failure && !failure.fatal && !(failure.cause instanceof AuthError)) {
      // RFC 7009 §2.2.1: after a 503 the token still exists, and `Retry-After` says when to try again.
      await work
        .run(() => new Promise(() => {}), failure.retryAfter ?? settings.retry.minDelay)
        .catch(() => {})
      failure = await this.#attempt(tokens, belongsToAnother)
    }
    if (!failure) return
    const { reason, status } = failure
    mailbox.send({ type: 'revocation.failed', reason, ...(status !== undefined && { status }) })
  }

  /** Calls the app's `revoke` function once. Resolves to why it failed, if it did. */
  async #attempt(tokens: Revocable, belongsToAnother: () => boolean): Promise<FailureCause | undefined> {
    const { options, settings, work } = this.#kernel
    const { revoke } = options
    if (!revoke) return undefined
    const { accessToken, refreshToken } = tokens
    const call = async (signal: Signal) => {
      try {
        const answer = await revoke({ accessToken: accessToken ?? '', refreshToken }, { signal })
        const { ok, error } = Object(answer) as { ok?: unknown; error?: unknown }
        if (ok === false || typeof error === 'string') throw answer
      } catch (error) {
        throw await this.#classify(error, signal)
      }
    }
    try {
      // A later sign-in waits for this turn. The owner of the cookie is looked up when the turn comes.
      await this.#sharing.takeTurn(async (timeLeft) => {
        if (!belongsToAnother()) await work.run(call, timeLeft)
      }, settings.timeouts.revoke)
      return undefined
    } catch (error) {
      if (isFailure(error)) return error
      // No time is left for another attempt.
      return { ...timeoutFailure(), fatal: true }
    }
  }

  #classify(error: unknown, signal: Signal): Promise<FailureCause> {
    const { clock, environment } = this.#kernel
    return classifyFailure(error, { now: clock.now(), offline: !environment.online(), signal })
  }
}
