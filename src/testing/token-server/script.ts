import type { HeldApiRequest, HeldTokenRequest } from './held.ts'
import type { TokenServerRequest } from './types.ts'

/** The answer given by `failNext`. */
export interface TokenFailure {
  /** From 200 to 599; default 500. */
  readonly status?: number
  /** A string is sent as it is, anything else as JSON. Default: an OAuth error object. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The ways in which `malformNext` can break a 200 answer: the page of a captive portal, JSON that ends too early, an
 * answer without its token, and nothing at all.
 */
export type MalformedAnswer = 'html' | 'bad-json' | 'no-access-token' | 'empty'

/**
 * Faults for the next requests to `POST /token`, sign-ins and refreshes alike. All calls share one queue: each request
 * takes exactly one entry, first in first out, so `failNext(1); delayNext(20)` fails one request and delays the one after
 * it. `n` is how many requests an entry serves (default 1, `Infinity` for all until `clearScripts()`).
 *
 * Every method throws a RangeError for a number that is out of range, and a TypeError for a parameter of the wrong kind.
 */
export interface TokenServerScript {
  /** Answers an error without acting. */
  failNext(n?: number, failure?: TokenFailure): void
  /** Answers `status` (default 429) with `Retry-After`: seconds or an HTTP date, RFC 9110 section 10.2.3. */
  retryAfterNext(value: string | number, status?: number): void
  /** Never answers and never acts. Ends when the client goes, the server closes or is reset. */
  hangNext(n?: number): void
  /** Destroys the connection before acting. Through `handle()` and `fetch()`: rejects with a TypeError. */
  dropNext(n?: number): void
  /** Acts, then destroys the connection: the client never learns its new tokens. */
  dropAnswerNext(n?: number): void
  /** Waits `ms`, then acts (even if the client has gone) and answers. */
  delayNext(ms: number, n?: number): void
  /** Acts, waits `ms`, then answers. */
  delayAnswerNext(ms: number, n?: number): void
  /** Answers 200 with something that is no token answer, without acting. */
  malformNext(kind: MalformedAnswer, n?: number): void
  /**
   * Makes the next token request wait, fully received, until the test says how it goes. With `n`, the next `n` requests
   * wait together and share one fate.
   *
   * @param n a finite number of requests (default 1)
   * @example
   * const held = server.holdNext()
   * const answers = Promise.all([api('/api/a'), api('/api/b')]) // with an expired token
   * await held.arrived // both wait for one refresh, which is under way
   * held.answer()
   */
  holdNext(n?: number): HeldTokenRequest
  /**
   * Makes the next request under `/api/` wait until the test says how it goes. Holds of the API have a queue of their own.
   *
   * @param matches says whether a request is the one to be held (default: any is)
   * @example
   * const held = server.holdApiNext(({ path }) => path === '/api/report')
   * const report = api('/api/report')
   * await held.arrived
   * server.expireAccessTokens()
   * held.answer({ check: 'release' }) // a late 401
   */
  holdApiNext(matches?: (request: TokenServerRequest) => boolean): HeldApiRequest
  /** Ms that every token request waits before anything else happens to it (default 0). */
  tokenDelay: number
  /** How many more requests have something scripted for them: 0 at the end of a test whose script was played. */
  readonly pendingScripts: number
  /**
   * Forgets what is scripted and was not taken by a request yet, and sets `tokenDelay` to 0, as when an outage ends.
   * Requests that are held, delayed or hanging go on with what they took. `arrived` of a hold that nobody came to rejects.
   */
  clearScripts(): void
}
