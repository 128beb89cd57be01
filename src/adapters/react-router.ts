/**
 * The backend for frontends in React Router, as a framework.
 *
 * @module
 */
import type { Bff } from '../server/bff/types.ts'

/** What React Router passes to a middleware, a `loader` and an `action`. */
export interface RouterArguments {
  /** The request of the browser, whose body has not been read. */
  readonly request: Request
}

/**
 * A middleware for the root route. Loaders and actions call `bff.session(request)`.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * export const middleware = [reactRouterBff(bff)]
 * ```
 */
export const reactRouterBff =
  (bff: Pick<Bff<unknown>, 'handle'>) =>
  async ({ request }: RouterArguments, next: () => Promise<Response>): Promise<Response> =>
    (await bff.handle(request)) ?? next()
