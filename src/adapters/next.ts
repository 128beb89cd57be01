/**
 * The backend for frontends in Next.js.
 *
 * @module
 */
import type { Bff } from '../server/bff/types.ts'

type Handler = (request: Request) => Promise<Response>

/**
 * Route handlers of the App Router. Export them from `app/auth/[...path]/route.ts`, and from `app/api/[...path]/route.ts` for
 * forwarded APIs. Pages call `bff.session({ headers: await headers() })`. A proxy (`proxy.ts`) refreshes nothing.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * export const { GET, POST, PUT, PATCH, DELETE } = nextBff(bff)
 * ```
 */
export function nextBff(
  bff: Pick<Bff<unknown>, 'handle'>,
): Record<'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handler> {
  const handle: Handler = async (request) =>
    (await bff.handle(request)) ?? new Response(null, { status: 404 })
  return { GET: handle, POST: handle, PUT: handle, PATCH: handle, DELETE: handle }
}
