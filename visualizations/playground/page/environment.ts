/** The machine the page runs on, with a plug to pull. */
import type { Environment, EnvironmentSignal } from 'authchart'

export interface PluggedEnvironment extends Environment {
  /** Whether the plug is in. The browser may be offline all the same. */
  readonly isPlugged: boolean
  /** Pulls the plug or puts it back, and tells. */
  plug(isIn: boolean): void
  /** Tells that the machine has slept. */
  wake(): void
}

/** @param browser what there is to hear without the plug */
export function createPluggedEnvironment(browser: Environment): PluggedEnvironment {
  const listeners = new Map<EnvironmentSignal, Set<() => void>>()
  let isPlugged = true

  const tell = (kind: EnvironmentSignal) => {
    const those = listeners.get(kind) ?? new Set()
    // As events have it: who comes while it is told is not, nor who has left by then.
    for (const listener of [...those]) if (those.has(listener)) listener()
  }

  return {
    get isPlugged() {
      return isPlugged
    },
    online: () => isPlugged && browser.online(),
    subscribe(kind, listener) {
      // A listener of its own for each subscription: the same function may be given twice.
      const heard = () => listener()
      const own = listeners.get(kind) ?? new Set()
      listeners.set(kind, own.add(heard))
      const stop = browser.subscribe(kind, () => {
        // What the browser's network does is no news to a machine without one.
        if (isPlugged || (kind !== 'online' && kind !== 'offline')) heard()
      })
      return () => {
        own.delete(heard)
        stop()
      }
    },
    plug(isIn) {
      if (isIn === isPlugged) return
      isPlugged = isIn
      if (!isIn) tell('offline')
      else if (browser.online()) tell('online')
    },
    wake: () => tell('wake'),
  }
}
