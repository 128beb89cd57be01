import type { Environment, EnvironmentSignal } from '../core/ports.ts'
import { outsideZones } from './outside-zones.ts'

const nothing = () => {}

/** The environment of a server process: always online, with no visibility or wake signals. */
export const emptyEnvironment: Environment = {
  online: () => true,
  // One function for thousands of sessions.
  subscribe: () => nothing,
}

/** The browser events of each signal. A worker receives the network events only. */
const SIGNALS: Readonly<Record<EnvironmentSignal, readonly (readonly ['window' | 'document', string])[]>> = {
  online: [['window', 'online']],
  offline: [['window', 'offline']],
  visible: [
    ['document', 'visibilitychange'],
    ['window', 'focus'],
  ],
  // Timers do not run in the back/forward cache, nor while the page is frozen.
  wake: [
    ['window', 'pageshow'],
    ['document', 'resume'],
  ],
}

/** The interval of the sleep check, in milliseconds. Browsers emit no event when the machine wakes up. */
const SLEEP_CHECK = 15_000

/**
 * Calls `listener` after the machine slept. During a sleep the clock goes on and timers stop.
 *
 * @returns stops the check
 */
function watchForSleep(listener: () => void): () => void {
  let last = Date.now()
  const check = () => {
    const now = Date.now()
    // Browsers run timers of hidden pages once a minute. A false alarm only makes the session check its clock.
    if (now - last > 2 * SLEEP_CHECK) listener()
    last = now
  }
  const timer = outsideZones(() => setInterval(check, SLEEP_CHECK))
  return () => clearInterval(timer)
}

/** The event targets. In a worker, its global scope receives the events of the window. */
const targetsHere = () => ({
  window: typeof window === 'undefined' ? globalThis : window,
  document: typeof document === 'undefined' ? undefined : document,
})

/**
 * The environment of a page. It reports the network, visibility, and waking from sleep, from the back/forward cache or from
 * a frozen state. In a worker it reports the network and waking from sleep.
 *
 * @example
 * ```ts
 * createAuth({ refresh, environment: browserEnvironment() })
 * ```
 */
export function browserEnvironment(): Environment {
  return {
    online: () => navigator.onLine !== false,
    subscribe(kind, listener) {
      const targets = targetsHere()
      const onEvent = () => {
        if (kind !== 'visible' || targets.document?.visibilityState === 'visible') listener()
      }
      for (const [target, event] of SIGNALS[kind]) targets[target]?.addEventListener(event, onEvent)
      const stopWatching = kind === 'wake' ? watchForSleep(onEvent) : undefined
      return () => {
        stopWatching?.()
        for (const [target, event] of SIGNALS[kind]) targets[target]?.removeEventListener(event, onEvent)
      }
    },
  }
}

/** The default environment: that of the page or worker, otherwise the empty one. */
export function environmentHere(): Environment {
  const isWorker =
    typeof addEventListener === 'function' && typeof navigator === 'object' && 'onLine' in navigator
  return typeof document !== 'undefined' || isWorker ? browserEnvironment() : emptyEnvironment
}
