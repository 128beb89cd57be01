/** The messages between a page and the server in the browser. */

/** From the page: a request, or that nothing waits for its answer any more. */
export type ToServer =
  | {
      readonly id: number
      readonly url: string
      readonly method: string
      readonly headers: readonly (readonly [string, string])[]
      readonly body: ArrayBuffer | undefined
    }
  | { readonly id: number; readonly aborted: true }

/** From the server: an answer, or that the connection was closed without one. */
export type ToPage =
  | {
      readonly id: number
      readonly status: number
      readonly headers: readonly (readonly [string, string])[]
      readonly body: ArrayBuffer
    }
  | { readonly id: number; readonly lost: true }
