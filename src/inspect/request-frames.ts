/**
 * One step of a request. `at` is in milliseconds since the Unix epoch. `id` is the same in all frames of a request. A frame
 * contains no header, no body, no query, and no user name or password of a URL.
 */
export type RequestFrame =
  | {
      /** The app called a transport. */
      readonly type: 'arrived'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The method and the path: `GET /books`. */
      readonly name: string
      /** The origin of the URL; empty if the transport does not give one. */
      readonly origin: string
    }
  | {
      /** It was sent; `replayed`: sent again, after a 401 or an abort. */
      readonly type: 'sent' | 'replayed'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
    }
  | {
      /** It began to wait for a token. */
      readonly type: 'held'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
    }
  | {
      /** A server has answered. After a 401 the request may be replayed. */
      readonly type: 'answered'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** HTTP status of the answer. */
      readonly status: number
    }
  | {
      /** Its caller has received the answer. */
      readonly type: 'done'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
    }
  | {
      /** Its caller has received an error. */
      readonly type: 'rejected'
      /** The number of the request: the same in all its frames, and unique in this process. */
      readonly id: number
      /** When it happened, in milliseconds since the Unix epoch. */
      readonly at: number
      /** The `code` of an `AuthError`, `'aborted'` if the caller aborted it, or `'failed'`. */
      readonly reason: string
    }

/**
 * Observes the requests of a session. If it throws, or returns a promise that rejects, the error is reported and nothing else
 * happens.
 *
 * @param frame what happened
 */
export type RequestObserver = (frame: RequestFrame) => unknown
