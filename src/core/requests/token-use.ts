import { isReached } from '../../../machines/policies.ts'
import type { Vault } from '../session/vault.ts'

/** How long the news of a refresh may take from one process to the other, in milliseconds. */
const NEWS = 1_000

/** Whether requests use the current token set, and when the chart has to look at it. */
export class TokenUse {
  readonly #vault: Vault
  /** The token set that this is about. */
  #generation = -1
  #nextCheckAt: number | undefined
  #isUsed = false
  /** When a server refused the current token last. */
  #refusedAt = 0

  constructor(vault: Vault) {
    this.#vault = vault
  }

  /** Whether a request used the current tokens. */
  get isUsed(): boolean {
    return this.#isUsed && this.#generation === this.#vault.generation
  }

  /** Whether a request must make the chart look at the clock before it is sent: a refresh is due, or the token expired. */
  needsCheck(now: number): boolean {
    if (this.#generation !== this.#vault.generation) {
      this.#generation = this.#vault.generation
      this.#isUsed = false
      this.scheduleCheck(Number.NEGATIVE_INFINITY)
    }
    return isReached(this.#nextCheckAt, now)
  }

  scheduleCheck(now: number): void {
    const { expiresAt, refreshAt = expiresAt } = this.#vault.facts()
    this.#nextCheckAt = isReached(refreshAt, now) ? expiresAt : refreshAt
  }

  use(): void {
    this.#isUsed = true
  }

  /** A server refused the current token. */
  refuse(now: number): void {
    this.#refusedAt = now
  }

  /**
   * Whether the current token was issued after the last refusal. A token that was in memory, or that another process has left, may
   * be older, and have expired unnoticed.
   */
  isFresh(): boolean {
    const { tokens } = this.#vault
    return !(tokens && tokens.receivedAt < this.#refusedAt - NEWS)
  }

  isExpired(now: number): boolean {
    return isReached(this.#vault.tokens?.expiresAt, now)
  }
}
