import type { AuthEvent, Reason } from '../../../machines/vocabulary.ts'
import { AuthError } from '../errors.ts'
import type { Mailbox } from '../mailbox.ts'

const NONE = { held: 0, released: 0, replayed: 0, rejected: 0 }

/** Counts what happens to requests, and notifies the chart once for each burst. */
export class RequestCounts {
  readonly #mailbox: Mailbox
  readonly #waiting: () => number
  #counts: typeof NONE | undefined
  #reason: Reason = ''

  /** @param waiting returns how many requests wait now */
  constructor(mailbox: Mailbox, waiting: () => number) {
    this.#mailbox = mailbox
    this.#waiting = waiting
  }

  /** @param error why a request was rejected */
  add(what: keyof typeof NONE, error?: unknown): void {
    if (!this.#counts) {
      this.#counts = { ...NONE }
      void Promise.resolve().then(() => this.#notify())
    }
    this.#counts[what]++
    if (what === 'rejected')
      this.#reason = error instanceof AuthError ? (error.reason ?? error.code) : 'aborted'
  }

  #notify(): void {
    const counts = this.#counts ?? NONE
    this.#counts = undefined
    const held = this.#waiting()
    for (const what of ['held', 'released', 'replayed', 'rejected'] as const) {
      // A first send emits no event, but it lowers the held count.
      const count = counts[what]
      const reason = what === 'rejected' && { reason: this.#reason }
      if (count > 0) this.#mailbox.send({ type: `request.${what}`, count, held, ...reason } as AuthEvent)
    }
  }
}
