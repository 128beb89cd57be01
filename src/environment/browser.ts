import type { Environment, EnvironmentSignal } from '../core/ports.ts'

/** Nothing happens around a server process that its session would have to know. */
export const emptyEnvironment: Environment = {
  online: () => true,
  subscribe: () => () => {},
}

/** What a page hears of the machine it runs on, by the signal it stands for. A worker hears of the network only. */
const SIGNALS: Readonly<Record<EnvironmentSignal, readonly (readonly ['window' | 'document', string])[]>> = {
  online: [['window', 'online']],
  offline: [['window', 'offline']],
  visible: [
    ['document', 'visibilitychange'],
    ['window', 'focus'],
  ],
  // A page that comes out of the back/forward cache, or is thawed, slept through its timers.
  wake: [
    ['window', 'pageshow'],
    ['document', 'resume'],
  ],
}

/** How often the clock is looked at for a sleep that no event told of, in milliseconds. */
const LOOK = 15_000

/** Calls back after the machine slept: the clock has gone on, and the timer has not. Returns the way to stop. */
function watchForSleep(listener: () => void): () => void {
  let last = Date.now()
  const timer = setInterval(() => {
    const now = Date.now()
    // A hidden page is let run once a minute only. What is taken for a sleep then costs a look at the clock.
    if (now - last > 2 * LOOK) listener()
    last = now
  }, LOOK)
  return () => clearInterval(timer)
}

/** Where events arrive: those of a window, in a worker, at its global scope. */
const targetsHere = () => ({
  window: typeof window === 'undefined' ? globalThis : window,
  document: typeof document === 'undefined' ? undefined : document,
})

/**
 * The environment of a page: network, visibility, and waking from sleep, the back/forward cache or a frozen state. In a
 * worker: network, and waking from sleep.
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
      const heard = () => {
        if (kind !== 'visible' || targets.document?.visibilityState === 'visible') listener()
      }
      for (const [target, event] of SIGNALS[kind]) targets[target]?.addEventListener(event, heard)
      const stopWatching = kind === 'wake' ? watchForSleep(heard) : undefined
      return () => {
        stopWatching?.()
        for (const [target, event] of SIGNALS[kind]) targets[target]?.removeEventListener(event, heard)
      }
    },
  }
}

/** The environment where nobody names one: the page's or the worker's, where there is such a thing. */
export function environmentHere(): Environment {
  const isWorker =
    typeof addEventListener === 'function' && typeof navigator === 'object' && 'onLine' in navigator
  return typeof document !== 'undefined' || isWorker ? browserEnvironment() : emptyEnvironment
}
