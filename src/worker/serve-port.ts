import { listenAt, type Port } from './port.ts'
import { mark, pageOf, readMessage, TO_WORKER, type ToWorker } from './protocol.ts'
import { type House, type ServedPage, servePage } from './served-page.ts'

/**
 * Serves the pages at one port: one as a rule, and another after it where it is disposed of and connects anew. Gives the way
 * to stop.
 */
export function servePort(port: Port, house: House): () => void {
  const pages = new Map<string, ServedPage>()

  function enter(name: string): ServedPage {
    const page = pages.get(name) ?? servePage(port, name, house, () => pages.delete(name))
    pages.set(name, page)
    return page
  }

  const stopListening = listenAt(port, {
    message(data) {
      const message = readMessage<ToWorker>(data, TO_WORKER)
      const name = pageOf(data)
      if (!message || name === undefined) return
      if (message === 'other') port.postMessage(mark({ type: 'refused' }, name), [])
      else if (message.type !== 'hello') pages.get(name)?.hear(message)
      else if (house.isOpen()) enter(name).greet(message.seen)
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
