import { openPageSession, type PageSession, type WorkerState } from './page-session.ts'
import { listenAt, type Port } from './port.ts'
import { mark } from './protocol.ts'
import { pageOf } from './read-message.ts'

/** How many pages one port may serve. Usually there is one; a page that goes on at its port sends a farewell before. */
const PAGES = 64

/**
 * Serves the pages at one port. Usually there is one; a page that disposes of its session and connects again is another one.
 *
 * @returns stops serving
 */
export function servePort(port: Port, state: WorkerState): () => void {
  const pages = new Map<string, PageSession>()

  function open(name: string): PageSession | undefined {
    const known = pages.get(name)
    if (!known && pages.size >= PAGES) return undefined
    const page = known ?? openPageSession(port, name, state, () => pages.delete(name))
    pages.set(name, page)
    return page
  }

  const stopListening = listenAt(port, {
    message(data) {
      const message = state.read(data)
      const name = pageOf(data)
      if (!message || name === undefined) return
      const reply = (type: 'refused' | 'unknown' | 'closed') => port.postMessage(mark({ type }, name), [])
      if (message === 'other') return reply('refused')
      const page = pages.get(name)
      if ('of' in message || message.type !== 'hello') {
        if (page) page.receive(message)
        else if (!('of' in message) && message.type !== 'goodbye') reply('unknown')
      } else if (!state.isOpen()) reply('closed')
      else {
        const greeted = open(name)
        if (greeted) greeted.greet(message.seen)
        else reply('closed')
      }
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
