import type { Auth } from '../../core/auth.ts'

/** A request that a scenario makes through the client under test. */
export interface TransportRequest {
  /** In upper case. */
  readonly method: string
  /** Headers to send as they are; an `Authorization` among them replaces that of the session. */
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
  /** HTTP status of the answer. */
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
  /** Passes if both are the same value, by `Object.is`. */
  toBe(expected: unknown): unknown
  /** Passes if both have the same content, at any depth. */
  toEqual(expected: unknown): unknown
  /** Passes if the object has all fields of `expected`, at any depth; it may have more. */
  toMatchObject(expected: object): unknown
  /** Passes if the value was made by that class. */
  toBeInstanceOf(expected: abstract new (...args: never[]) => unknown): unknown
  /** Passes if the `length` is that number. */
  toHaveLength(expected: number): unknown
  /** Passes if the array has that element, or the text has that part. */
  toContain(expected: unknown): unknown
  /** Passes if the text matches. */
  toMatch(expected: RegExp): unknown
  /** Passes if the value is `undefined`. */
  toBeUndefined(): unknown
  /** Passes if the number is greater. */
  toBeGreaterThan(expected: number): unknown
  /** Passes if the number is at most that. */
  toBeLessThanOrEqual(expected: number): unknown
}

/** The functions of a test runner. `describe` may call its body later. `it` gets functions that return a promise. */
export interface TransportHooks {
  /** Groups tests. It may call `body` at once or later. */
  readonly describe: (title: string, body: () => void) => unknown
  /** `timeout` is in milliseconds. A runner may ignore it. */
  readonly it: (title: string, body: () => Promise<void>, timeout?: number) => unknown
  /** Returns the matchers for a value. A matcher that fails must throw. */
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
  /** Milliseconds after which a scenario that has not ended fails. Default: 30,000. */
  readonly timeout?: number
}
