/**
 * The backend for frontends in Express, Connect, and `node:http`.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bff } from '../server/bff/types.ts'
import { answerNode } from './node.ts'

/** A middleware of Express; without `next`, a listener of `http.createServer`. */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => Promise<void>

/**
 * A middleware for Express 4 and 5, and a listener for `http.createServer`. Mount it before parsers of bodies.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * const app = express()
 * app.use(expressBff(bff))
 * app.get('/', async (req, res) => {
 *   const session = await bff.session({ headers: new Headers({ cookie: req.headers.cookie ?? '' }) })
 *   res.send(session ? `Hello ${session.subject}` : '<a href="/auth/sign-in">Sign in</a>')
 * })
 * ```
 */
export const expressBff =
  (bff: Pick<Bff<unknown>, 'handle' | 'origin'>): NodeHandler =>
  async (request, response, next) => {
    try {
      if (await answerNode(bff, request, response)) return
      if (next) next()
      else response.writeHead(404).end()
    } catch (error) {
      if (next) next(error)
      else response.writeHead(500).end()
    }
  }
