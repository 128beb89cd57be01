/**
 * The backend for frontends in Hono.
 *
 * @module
 */
import type { Bff } from '../server/bff/types.ts'
import { isAdded } from './added-headers.ts'

/** The part of a context of Hono that is used. */
export interface HonoContextLike {
  /** What Hono knows of the request. */
  readonly req: {
    /** The request of the browser. */
    readonly raw: Request
  }
  /** The answer so far. */
  readonly res: {
    /** What was set before. */
    readonly headers: Headers
  }
}

/**
 * A middleware of Hono, in any runtime that it supports.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * const app = new Hono()
 * app.use(honoBff(bff))
 * app.get('/', async (c) => {
 *   const session = await bff.session(c.req.raw)
 *   return c.text(session ? `Hello ${session.subject}` : 'Not signed in')
 * })
 * ```
 */
export const honoBff =
  (bff: Pick<Bff<unknown>, 'handle'>) =>
  async (context: HonoContextLike, next: () => Promise<void>): Promise<Response | undefined> => {
    const answer = await bff.handle(context.req.raw)
    if (!answer) {
      await next()
      return undefined
    }
    // Hono lets what was set before replace headers and cookies of an answer.
    const { headers } = context.res
    for (const [name, value] of answer.headers)
      if (isAdded(name)) headers.append(name, value)
      else headers.set(name, value)
    const { status, statusText } = answer
    return new Response(answer.body, { status, statusText, headers })
  }
