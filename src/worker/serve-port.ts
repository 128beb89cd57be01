import { openPageSession, type PageSession, type WorkerState } from './page-session.ts'
import { listenAt, type Port } from './port.ts'
import { mark, pageOf, readMessage, TO_WORKER, type ToWorker } from './protocol.ts'

/**
 * Serves the pages at one port. Usually there is one; a page that disposes of its session and connects again is another one.
 *
 * @returns stops serving
 */
export function servePort(port: Port, state: WorkerState): () => void {
  const pages = new Map<string, PageSession>()

  function open(name: string): PageSession {
    const page = pages.get(name) ?? openPageSession(port, name, state, () => pages.delete(name))
    pages.set(name, page)
    return page
  }

  const stopListening = listenAt(port, {
    message(data) {
      const message = readMessage<ToWorker>(data, TO_WORKER)
      const name = pageOf(data)
      if (!message || name === undefined) return
      if (message === 'other') port.postMessage(mark({ type: 'refused' }, name), [])
      else if (message.type !== 'hello') pages.get(name)?.receive(message)
      else if (state.isOpen()) open(name).greet(message.seen)
      else port.postMessage(mark({ type: 'closed' }, name), [])
    },
    garbled() {
      for (const page of pages.values()) page.post({ type: 'garbled' })
    },
  })

  return () => {
    for (const page of pages.values()) page.close()
    stopListening()
  }
}
