import type { HeldApiRequest, HeldTokenRequest } from './held.ts'
import type { MalformedAnswer, TokenFailure } from './replies.ts'
import type { TokenServerRequest } from './requests.ts'

/**
 * Faults for the next requests to `POST /token`, sign-ins and refreshes alike. All calls share one queue. Each request takes
 * exactly one entry, first in, first out: `failNext(1); delayNext(20)` fails one request and delays the next one. `n` is the
 * number of requests that an entry serves (default 1, `Infinity` for all until `clearScripts()`).
 *
 * Every method throws a RangeError for a number that is out of range, and a TypeError for a parameter of the wrong kind.
 */
export interface TokenServerScript {
  /** Answers an error without acting. */
  failNext(n?: number, failure?: TokenFailure): void
  /** Answers `status` (default 429) with `Retry-After`: seconds or an HTTP date, RFC 9110 section 10.2.3. */
  retryAfterNext(value: string | number, status?: number): void
  /** Never answers and never acts. Ends when the client disconnects, or the server is closed or reset. */
  hangNext(n?: number): void
  /** Destroys the connection before acting. Through `handle()` and `fetch()`: rejects with a TypeError. */
  dropNext(n?: number): void
  /** Acts, then destroys the connection: the client never receives its new tokens. */
  dropAnswerNext(n?: number): void
  /** Waits `ms` milliseconds, then acts (even if the client has disconnected) and answers. */
  delayNext(ms: number, n?: number): void
  /** Acts, waits `ms` milliseconds, then answers. */
  delayAnswerNext(ms: number, n?: number): void
  /** Answers 200 with something that is not a token response, without acting. */
  malformNext(kind: MalformedAnswer, n?: number): void
  /**
   * Keeps the next token request waiting, fully received, until the test decides its answer. With `n`, the next `n` requests
   * wait together and get the same kind of answer.
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
   * Keeps the next request under `/api/` waiting until the test decides its answer. Holds of the API have their own queue.
   *
   * @param matches returns whether to hold a request (default: hold any)
   * @example
   * const held = server.holdApiNext(({ path }) => path === '/api/report')
   * const report = api('/api/report')
   * await held.arrived
   * server.expireAccessTokens()
   * held.answer({ check: 'release' }) // a late 401
   */
  holdApiNext(matches?: (request: TokenServerRequest) => boolean): HeldApiRequest
  /** Milliseconds that every token request waits before anything else happens to it (default 0). */
  tokenDelay: number
  /** The number of requests that still have a scripted fault. Expect 0 at the end of a test. */
  readonly pendingScripts: number
  /**
   * Discards the scripted faults that no request took yet, and sets `tokenDelay` to 0, as at the end of an outage. Requests
   * that are held, delayed or hanging are not affected. `arrived` rejects for a hold that no request reached.
   */
  clearScripts(): void
}
