import type { Auth } from '../../core/auth.ts'

/** A request that a scenario makes through the client under test. */
export interface TransportRequest {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent unchanged. An object is sent as JSON, with the content type of JSON unless `headers` has one. */
  readonly body?: string | Readonly<Record<string, unknown>>
  /** Ends the call immediately, whether the request is unsent, held or in flight. */
  readonly signal?: AbortSignal
  /** The client's own timeout in milliseconds. Set only if `describeTransport` was given `isTimeout`. */
  readonly timeout?: number
}

/** The answer of a server. */
export interface TransportAnswer {
  readonly status: number
  /** The body as text, or as the client has parsed it: JSON as a value, an empty body as `undefined` or `''`. */
  readonly body: unknown
  /** How the client passed the answer to its caller. Checked only if `givesRefusalsAs` is set. */
  readonly givenAs?: string
}

/** A client under test, reduced to one method. */
export interface TransportClient {
  /**
   * Resolves for every answer of a server, with any status. Rejects without an answer, with the client's own error.
   *
   * @param path starts with a slash for the `origin` given to the factory; otherwise it is a whole URL of another origin.
   * `new URL(path, origin)` handles both
   */
  request(path: string, request: TransportRequest): Promise<TransportAnswer>
  /** Called after the scenario: detach listeners and close connections here. */
  close?(): void | Promise<void>
}

/**
 * Creates a client for a session. Each scenario calls it again.
 *
 * @param auth the session whose token the client sends
 * @param options `origin`: the base of all paths, and the only origin that may receive the token, such as
 * `'http://127.0.0.1:49152'`
 */
export type TransportFactory = (auth: Auth, options: { readonly origin: string }) => TransportClient

/** The matchers that `expect` must have: a subset of those that Jest, Vitest and Playwright share. */
export interface TransportMatchers {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
  toMatchObject(expected: object): unknown
  toBeInstanceOf(expected: abstract new (...args: never[]) => unknown): unknown
  toHaveLength(expected: number): unknown
  toContain(expected: unknown): unknown
  toMatch(expected: RegExp): unknown
  toBeUndefined(): unknown
  toBeGreaterThan(expected: number): unknown
  toBeLessThanOrEqual(expected: number): unknown
}

/** The functions of a test runner. `describe` may call its body later. `it` gets functions that return a promise. */
export interface TransportHooks {
  readonly describe: (title: string, body: () => void) => unknown
  /** `timeout` is in milliseconds. A runner may ignore it. */
  readonly it: (title: string, body: () => Promise<void>, timeout?: number) => unknown
  readonly expect: (actual: unknown) => TransportMatchers
}

/** Options of `describeTransport`: the test runner, unless it has globals, and the behaviour of the client. */
export interface DescribeTransportOptions extends Partial<TransportHooks> {
  /**
   * Whether `error` is how the client rejects if the caller's signal aborts with `reason`. Default: the reason itself, an
   * error with the reason as its `cause`, or an error named `AbortError`.
   */
  readonly isAbort?: (error: unknown, reason: unknown) => boolean
  /**
   * Whether `error` is how the client rejects after its own timeout. If omitted, the client has no timeout of its own, and
   * the scenarios about it are skipped.
   */
  readonly isTimeout?: (error: unknown) => boolean
  /**
   * How the client reports a 401 or 403 to its caller, in a word of your choice: `'Response'`, `'HTTPError'`. If set, the
   * `givenAs` of every refusal must be equal to it. If omitted, only the status is checked.
   */
  readonly givesRefusalsAs?: string
  /** Milliseconds after which a scenario that has not ended fails. Default: 10,000. */
  readonly timeout?: number
}
