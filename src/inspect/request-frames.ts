/**
 * One thing that becomes of a request. `at` is in milliseconds since the Unix epoch, and `id` is the same in all frames of a
 * request. There is neither a header nor a body in one, nor the query of a URL, or a user and a password in it.
 */
export type RequestFrame =
  /** A transport was asked to send it. */
  | {
      readonly type: 'arrived'
      readonly id: number
      readonly at: number
      /** As in `GET /books`. */
      readonly name: string
      /** Where it goes; empty where its transport does not tell. */
      readonly origin: string
    }
  /** It is on its way; `replayed`: once more, after a 401 or an abort. */
  | { readonly type: 'sent' | 'replayed'; readonly id: number; readonly at: number }
  /** It waits for a token. */
  | { readonly type: 'held'; readonly id: number; readonly at: number }
  /** A server has answered; it is not the end where that is a 401. */
  | { readonly type: 'answered'; readonly id: number; readonly at: number; readonly status: number }
  /** Its caller has the answer. */
  | { readonly type: 'done'; readonly id: number; readonly at: number }
  /** Its caller has an error: the `code` of an `AuthError`, `aborted`, or `failed`. */
  | { readonly type: 'rejected'; readonly id: number; readonly at: number; readonly reason: string }

/**
 * Who looks at the requests of a session. What it throws is reported and harms nobody.
 *
 * @param frame what happened
 */
export type RequestObserver = (frame: RequestFrame) => unknown
