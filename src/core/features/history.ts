import type { AuthEmitted } from '../../../machines/emitted.ts'

/** The last events that were emitted, oldest first. */
export class History {
  readonly #limit: number
  readonly #events: AuthEmitted[] = []

  /** @param limit how many events are held */
  constructor(limit: number) {
    this.#limit = limit
  }

  get events(): readonly AuthEmitted[] {
    return [...this.#events]
  }

  add(event: AuthEmitted): void {
    if (this.#limit === 0) return
    const events = this.#events
    const last = events.at(-1)
    // Requests come by the hundred. They are merged, so that the few other events stay in the history.
    const continues =
      last && 'count' in last && 'count' in event && last.type === event.type && last.reason === event.reason
    if (continues) events[events.length - 1] = Object.freeze({ ...event, count: last.count + event.count })
    else events.push(event)
    if (events.length > this.#limit) events.shift()
  }
}
