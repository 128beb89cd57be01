/**
 * The backend for frontends in Hono.
 *
 * @module
 */
import type { Bff } from '../server/bff/types.ts'

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
  async (
    context: { readonly req: { readonly raw: Request } },
    next: () => Promise<void>,
  ): Promise<Response | undefined> => {
    const answer = await bff.handle(context.req.raw)
    if (!answer) await next()
    return answer
  }
