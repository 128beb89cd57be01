import type { Coordinator, CoordinatorMessage } from '../core/ports.ts'
import { readMessage } from './message.ts'
import { background } from './waiting.ts'

/** Heard by a page that comes back: whatever was said meanwhile, it has to look for itself. */
const MISSED: CoordinatorMessage = { type: 'changed', epoch: 0, generation: 0 }

/**
 * Messages over a `BroadcastChannel`, which is open while somebody listens and for the moment of each message, and closed
 * while the page is in the back/forward cache. Without such channels nothing is said and nothing heard.
 */
export function createChannel(name: string): Pick<Coordinator, 'announce' | 'subscribe'> {
  const hearers = new Set<(data: unknown) => void>()
  let channel: BroadcastChannel | undefined

  const available = () => typeof BroadcastChannel === 'function'

  /** Each hearer listens for itself, so that one that throws is reported, and hinders no other. */
  function connect(hear: (data: unknown) => void) {
    channel?.addEventListener('message', ({ data }) => {
      if (hearers.has(hear)) hear(data)
    })
  }

  function open() {
    if (!available()) return
    channel = background(new BroadcastChannel(name))
    for (const hear of hearers) connect(hear)
  }

  function close() {
    channel?.close()
    channel = undefined
  }

  function comeBack() {
    if (channel) return
    open()
    for (const hear of hearers) queueMicrotask(() => hear(MISSED))
  }

  // An open channel keeps a page out of the back/forward cache in some browsers, or throws it out at the next message.
  const pages = typeof addEventListener === 'function'
  function watchPage() {
    if (!pages) return
    addEventListener('pagehide', close)
    addEventListener('pageshow', comeBack)
  }
  function unwatchPage() {
    if (!pages) return
    removeEventListener('pagehide', close)
    removeEventListener('pageshow', comeBack)
  }

  return {
    announce(message) {
      if (!available()) return
      const speaker = channel ?? new BroadcastChannel(name)
      speaker.postMessage(readMessage(message))
      if (speaker !== channel) speaker.close()
    },

    subscribe(listener) {
      const hear = (data: unknown) => {
        const message = readMessage(data)
        if (message) listener(message)
      }
      if (hearers.size === 0) {
        open()
        watchPage()
      }
      hearers.add(hear)
      connect(hear)
      return () => {
        hearers.delete(hear)
        if (hearers.size > 0) return
        close()
        unwatchPage()
      }
    },
  }
}
