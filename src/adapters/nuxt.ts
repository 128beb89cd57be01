/**
 * The backend for frontends in Nuxt, Nitro and h3.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bff } from '../server/bff/types.ts'
import { asRequest, closing, guarded } from './node.ts'

/** The part of an event of h3 that is used: version 2 has a `Request`, version 1 Node's message. */
export interface H3EventLike {
  /** h3 version 2: the `Request`. Anything else is ignored. */
  readonly req?: unknown
  /** h3 version 1: what Node passed. Used unless `req` is a `Request`. */
  readonly node?:
    | {
        /** Node's request, whose body has not been read. */
        readonly req: IncomingMessage
        /** Node's response. Used if it has a socket. */
        readonly res?: ServerResponse
      }
    | undefined
}

/**
 * The request of an event of h3, for `bff.session`.
 *
 * @param event that of a handler, of h3 version 1 or 2
 * @param origin the origin of the app as browsers see it. Default: that of the connection and the `Host` header
 * @returns the request itself with version 2; a new one over Node's message with version 1
 * @throws TypeError if the event has no request, or one with an invalid host, which h3 answers with 400; or if a parser has read its body
 *
 * @example
 * ```ts
 * export default defineEventHandler((event) => bff.session(requestOf(event)))
 * ```
 */
export function requestOf({ req, node }: H3EventLike, origin?: string): Request {
  if (req instanceof Request) return req
  const request = node && asRequest(node.req, origin)
  if (request) return request
  const error = new TypeError('requestOf: the event of h3 has no request with a valid method and host.')
  // h3 answers with it.
  throw Object.assign(error, { status: 400 })
}

/**
 * A handler for h3: in Nuxt, the default export of `server/middleware/auth.ts`, in `defineEventHandler`. Pages on the server call
 * `bff.session(requestOf(event))`.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * export default defineEventHandler(nuxtBff(bff))
 * ```
 */
export const nuxtBff =
  (bff: Pick<Bff<unknown>, 'handle' | 'origin'>) =>
  async ({ req, node }: H3EventLike): Promise<Response | undefined> => {
    if (req instanceof Request) return bff.handle(req)
    // h3 would neither notice that a browser goes away, nor that an answer breaks off.
    const response = node?.res?.socket ? node.res : undefined
    const request = node && asRequest(node.req, bff.origin, response && closing(response))
    const answer = request && (await bff.handle(request))
    if (!answer || !response) return answer
    // h3 would replace what was set before.
    for (const name of [response.getHeader('vary') ?? []].flat()) answer.headers.append('vary', String(name))
    return guarded(answer, response)
  }
