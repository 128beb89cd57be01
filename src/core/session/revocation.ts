import type { Kernel } from '../kernel.ts'
import type { Revocable, RevocationList } from './revocable.ts'
import type { Sharing } from './sharing.ts'
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

  /** Revokes what was added. Settles once everything is revoked or has failed; never rejects. */
  async revokeAdded(): Promise<void> {
    const added = this.#added
    this.#added = []
    await Promise.allSettled(
      added.map((tokens) =>
        // Without tokens, the server identifies the session by the cookie: it may belong to a later sign-in by then.
        this.#revoke(tokens, () => !tokens.accessToken && !tokens.refreshToken && !!this.#vault.tokens),
      ),
    )
  }

  /** Revokes tokens in the background. If it fails, they stay valid on the server until they expire. */
  revokeNow(tokens: Revocable): void {
    this.#revoke(tokens, () => this.#vault.isCookieTaken).catch(() => {})
  }

  /**
   * Discards tokens that arrived too late.
   *
   * @param sessionEnded revokes them. Revoking one token revokes its whole family, so tokens of a living session are only
   * dropped.
   */
  discard(tokens: Tokens, sessionEnded: boolean): void {
    if (sessionEnded && !this.#vault.isCookieTaken) this.revokeNow(tokens)
    const reason = sessionEnded ? 'session_over' : 'superseded'
    this.#kernel.mailbox.send({ type: 'tokens.discarded', reason })
  }

  async #revoke({ accessToken, refreshToken }: Revocable, belongsToAnother: () => boolean): Promise<void> {
    const { options, settings, work } = this.#kernel
    const { revoke } = options
    if (!revoke) return
    // A later sign-in waits for this turn. The owner of the cookie is looked up when the turn comes.
    await this.#sharing.takeTurn(async (timeLeft) => {
      if (belongsToAnother()) return
      await work.run(
        (signal) => revoke({ accessToken: accessToken ?? '', refreshToken }, { signal }),
        timeLeft,
      )
    }, settings.timeouts.revoke)
  }
}
