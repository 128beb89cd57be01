import type { AuthEmitted } from '../../machines/index.ts'
import type { AuthEventMap } from './auth.ts'

/** Who listens to what the chart emits, and the last of it. */
export function createListeners(historyLimit: number, report: (error: unknown) => void) {
  const listeners = new Map<string, Set<(event: never) => void>>()
  const history: AuthEmitted[] = []

  function remember(event: AuthEmitted) {
    const last = history.at(-1)
    // Requests come by the hundred; what the history is read for are the few things that happened between them.
    const goesOn =
      last && 'count' in last && 'count' in event && last.type === event.type && last.reason === event.reason
    if (goesOn) history[history.length - 1] = Object.freeze({ ...event, count: last.count + event.count })
    else history.push(event)
    if (history.length > historyLimit) history.shift()
  }

  return {
    history: () => [...history],

    hear(event: AuthEmitted) {
      remember(event)
      for (const type of [event.type, '*']) {
        for (const listener of listeners.get(type) ?? []) {
          try {
            listener(event as never)
          } catch (error) {
            report(error)
          }
        }
      }
    },

    on<T extends keyof AuthEventMap>(type: T, listener: (event: AuthEventMap[T]) => void): () => void {
      const set = listeners.get(type) ?? new Set()
      // Wrapped, so that the same function given twice is two listeners with an end each.
      const own = (event: never) => listener(event)
      set.add(own)
      listeners.set(type, set)
      return () => set.delete(own)
    },

    dispose: () => listeners.clear(),
  }
}
