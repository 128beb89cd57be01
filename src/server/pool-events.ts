import type { AuthEmitted } from '../../machines/emitted.ts'
import { report } from '../environment/report.ts'
import type { PoolEventMap } from './pool-types.ts'
import { isEnd, type Resident } from './resident.ts'
import type { Residents } from './residents.ts'

/** Passes the events of all sessions on, and lets those leave whose session has ended. */
export class PoolEvents {
  readonly #residents: Residents
  readonly #listeners = new Map<string, Set<(event: never) => void>>()

  constructor(residents: Residents) {
    this.#residents = residents
  }

  on<T extends keyof PoolEventMap>(type: T, listener: (event: PoolEventMap[T]) => void): () => void {
    // A function of its own, because the same function may be given twice.
    const own = (event: never) => listener(event)
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(own))
    return () => listeners.delete(own)
  }

  receive(resident: Resident, event: AuthEmitted): void {
    if (isEnd(event)) this.#residents.end(resident)
    const own = this.#listeners.get(event.type)
    const all = this.#listeners.get('*')
    if (!own?.size && !all?.size) return
    const named = Object.freeze({ ...event, key: resident.hash })
    for (const listener of [...(own ?? []), ...(all ?? [])]) {
      try {
        listener(named as never)
      } catch (error) {
        report(error)
      }
    }
  }
}
