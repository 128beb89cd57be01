import type { AbortSignalLike } from '../ports.ts'

interface Listeners {
  readonly callbacks: Set<() => void>
  readonly notify: () => void
}

const listenersOf = /* @__PURE__ */ new WeakMap<AbortSignalLike, Listeners>()

/**
 * Calls `callback` when the signal aborts. A signal gets one listener, however many callbacks wait for it, because Node
 * reports the eleventh listener as a leak.
 *
 * @returns removes the callback
 */
export function onAbort(signal: AbortSignalLike, callback: () => void): () => void {
  let listeners = listenersOf.get(signal)
  if (!listeners) {
    const callbacks = new Set<() => void>()
    const notify = () => {
      for (const each of callbacks) each()
    }
    listeners = { callbacks, notify }
    listenersOf.set(signal, listeners)
    signal.addEventListener('abort', notify)
  }
  const { callbacks, notify } = listeners
  callbacks.add(callback)
  return () => {
    callbacks.delete(callback)
    if (callbacks.size > 0 || listenersOf.get(signal)?.callbacks !== callbacks) return
    signal.removeEventListener('abort', notify)
    listenersOf.delete(signal)
  }
}
