import type { AuthEvent } from '../../machines/vocabulary.ts'

interface Recipient {
  send(event: AuthEvent): void
}

/**
 * The way to the chart. It exists before the chart does: what is sent until `open` waits, so nothing that fails early can
 * find the chart missing.
 */
export class Mailbox {
  #recipient: Recipient | undefined
  #waiting: AuthEvent[] | undefined = []

  /** Sends an event to the chart. After `close` it does nothing. */
  send(event: AuthEvent): void {
    if (this.#recipient) this.#recipient.send(event)
    else this.#waiting?.push(event)
  }

  /** Delivers what has waited, and everything from now on. */
  open(recipient: Recipient): void {
    const waiting = this.#waiting ?? []
    this.#recipient = recipient
    this.#waiting = undefined
    for (const event of waiting) recipient.send(event)
  }

  close(): void {
    this.#recipient = this.#waiting = undefined
  }
}
