/** The requests of the buttons. */
import { TRANSPORTS, type TransportName, transports } from './transports.ts'
import { outcomeWords } from './words.ts'

const BURST = 100
/** The server takes a different time for each path. */
const PATHS = ['/api/books', '/api/authors', '/api/shelves/7', '/api/loans/today', '/api/reviews', '/api/me']

let chosen: TransportName = TRANSPORTS[0]
let sent = 0

export const requests = {
  /** The client that sends the requests. */
  get transport() {
    return chosen
  },
  set transport(name: TransportName) {
    chosen = name
  },

  async sendOne(): Promise<string> {
    const path = PATHS[sent++ % PATHS.length] ?? ''
    const outcome = await Promise.allSettled([transports[chosen](path)])
    return `GET ${path}: ${outcomeWords(outcome)}`
  },

  async sendBurst(): Promise<string> {
    const all = Array.from({ length: BURST }, (_, index) => transports[chosen](`/api/books/${index + 1}`))
    return outcomeWords(await Promise.allSettled(all))
  },
}
