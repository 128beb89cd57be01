/** The environment of the page, with a simulated network plug. */
import type { Environment, EnvironmentSignal } from 'authchart'

export interface PluggedEnvironment extends Environment {
  /** Whether the plug is in. The browser itself may still be offline. */
  readonly isPlugged: boolean
  /** Pulls the plug or puts it back, and emits `offline` or `online`. */
  plug(isIn: boolean): void
  /** Emits `wake`: the device has slept. */
  wake(): void
}

/** @param browser the real environment */
export function createPluggedEnvironment(browser: Environment): PluggedEnvironment {
  const listeners = new Map<EnvironmentSignal, Set<() => void>>()
  let isPlugged = true

  const emit = (kind: EnvironmentSignal) => {
    const current = listeners.get(kind) ?? new Set()
    // Like `EventTarget`: a listener that is added or removed meanwhile is not called.
    for (const listener of [...current]) if (current.has(listener)) listener()
  }

  return {
    get isPlugged() {
      return isPlugged
    },
    online: () => isPlugged && browser.online(),
    subscribe(kind, listener) {
      // The same function may be subscribed twice, so each subscription needs its own one.
      const notify = () => listener()
      const own = listeners.get(kind) ?? new Set()
      listeners.set(kind, own.add(notify))
      const stop = browser.subscribe(kind, () => {
        // While the plug is out, changes of the real network do not matter.
        if (isPlugged || (kind !== 'online' && kind !== 'offline')) notify()
      })
      return () => {
        own.delete(notify)
        stop()
      }
    },
    plug(isIn) {
      if (isIn === isPlugged) return
      isPlugged = isIn
      if (!isIn) emit('offline')
      else if (browser.online()) emit('online')
    },
    wake: () => emit('wake'),
  }
}
