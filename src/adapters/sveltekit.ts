/**
 * The backend for frontends in SvelteKit.
 *
 * @module
 */
import type { Bff } from '../server/bff/types.ts'

/**
 * The `handle` hook of SvelteKit (`src/hooks.server.ts`). Use `sequence` to combine it with other hooks. `load` functions on the server
 * call `bff.session(request)`.
 *
 * @param bff what `createBff` returned
 * @example
 * ```ts
 * export const handle = svelteKitBff(bff)
 * ```
 */
export const svelteKitBff =
  (bff: Pick<Bff<unknown>, 'handle'>) =>
  async <
    Event extends {
      /** The request of the browser, whose body has not been read. */
      readonly request: Request
    },
  >({
    event,
    resolve,
  }: {
    readonly event: Event
    readonly resolve: (event: Event) => Response | Promise<Response>
  }): Promise<Response> =>
    (await bff.handle(event.request)) ?? resolve(event)
