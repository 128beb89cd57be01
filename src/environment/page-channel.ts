import { unref } from '../core/platform/unref.ts'

/** A named channel between the pages, workers and threads that share an origin or a process. */
export interface PageChannel {
  /** Sends `data` to all other listeners of the name. Listeners of this `PageChannel` do not receive it. */
  post(data: unknown): void
  /**
   * Starts to receive messages. A listening channel does not keep a Node process alive.
   *
   * @param onReturn called when the page returns from the back/forward cache, because it may have missed messages
   * @returns a function that stops listening
   */
  listen(onMessage: (data: unknown) => void, onReturn: () => void): () => void
}

interface Listener {
  readonly onMessage: (data: unknown) => void
  readonly onReturn: () => void
}

/** Returns nothing where there is no `BroadcastChannel`, or none is allowed: in Firefox if the user blocks the stores of sites. */
function openChannel(name: string): BroadcastChannel | undefined {
  if (typeof BroadcastChannel !== 'function') return undefined
  try {
    return unref(new BroadcastChannel(name))
  } catch {
    return undefined
  }
}

/** Node has no global `addEventListener`. In workers the page events never fire. */
const hasPageEvents = () => typeof addEventListener === 'function'

/**
 * Creates a channel over `BroadcastChannel`. The `BroadcastChannel` is open while there are listeners, and otherwise only
 * to send a message. It is closed while the page is in the back/forward cache: with an open one, some browsers do not cache
 * the page, or evict it at the next message. Without `BroadcastChannel` nothing is sent and nothing is received.
 */
export function createPageChannel(name: string): PageChannel {
  const listeners = new Set<Listener>()
  let channel: BroadcastChannel | undefined

  // One event listener each: if one throws, the error is reported and the others still run.
  function connect(listener: Listener) {
    channel?.addEventListener('message', ({ data }) => {
      if (listeners.has(listener)) listener.onMessage(data)
    })
  }

  function open() {
    channel = openChannel(name)
    for (const listener of listeners) connect(listener)
  }

  function close() {
    channel?.close()
    channel = undefined
  }

  function reopen() {
    if (channel) return
    open()
    for (const listener of listeners)
      queueMicrotask(() => {
        if (listeners.has(listener)) listener.onReturn()
      })
  }

  function start() {
    open()
    if (!hasPageEvents()) return
    addEventListener('pagehide', close)
    addEventListener('pageshow', reopen)
  }

  function stop() {
    close()
    if (!hasPageEvents()) return
    removeEventListener('pagehide', close)
    removeEventListener('pageshow', reopen)
  }

  return {
    post(data) {
      const sender = channel ?? openChannel(name)
      sender?.postMessage(data)
      if (sender !== channel) sender?.close()
    },

    listen(onMessage, onReturn) {
      const listener = { onMessage, onReturn }
      if (listeners.size === 0) start()
      listeners.add(listener)
      connect(listener)
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop()
      }
    },
  }
}
