import type { Auth } from '../../core/auth.ts'

/** A request that a scenario makes through the client under test. */
export interface TransportRequest {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  /** A string goes as it is, an object as JSON, with the content type of JSON where `headers` names none. */
  readonly body?: string | Readonly<Record<string, unknown>>
  /** Ends the call at once, wherever the request is: not sent yet, held, or in flight. */
  readonly signal?: AbortSignal
  /** The client's own timeout in milliseconds. Set only where `isTimeout` was given to `describeTransport`. */
  readonly timeout?: number
}

/** What a server answered. */
export interface TransportAnswer {
  readonly status: number
  /** The body as text, or as the client has read it already: JSON as a value, nothing as `undefined` or `''`. */
  readonly body: unknown
  /** How the client gave the answer to its caller; looked at where `givesRefusalsAs` was set. */
  readonly givenAs?: string
}

/** A client under test, reduced to one method. */
export interface TransportClient {
  /**
   * Resolves for every answer of a server, whatever its status; rejects where there is none, with what the client rejects
   * with.
   *
   * @param path one that starts with a slash leads to the `origin` given to the factory; anything else is the whole URL of
   * another origin. `new URL(path, origin)` reads both
   */
  request(path: string, request: TransportRequest): Promise<TransportAnswer>
  /** Called once the scenario is over: detaches what was attached, closes what was opened. */
  close?(): void | Promise<void>
}

/**
 * Makes a client over a session. Called anew for each scenario.
 *
 * @param auth the session whose token the client sends
 * @param options `origin`: where paths lead, and the only origin that may get the token: `'http://127.0.0.1:49152'`
 */
export type TransportFactory = (auth: Auth, options: { readonly origin: string }) => TransportClient

/** What a test runner's `expect` has to give: a part of what Jest, Vitest and Playwright share. */
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

/** A test runner. `describe` may call its body later, and `it` gets functions that return a promise. */
export interface TransportHooks {
  readonly describe: (title: string, body: () => void) => unknown
  /** `timeout` is in milliseconds; a runner that does not know it may ignore it. */
  readonly it: (title: string, body: () => Promise<void>, timeout?: number) => unknown
  readonly expect: (actual: unknown) => TransportMatchers
}

/** Options of `describeTransport`: the runner, where it has no globals, and what is the client's own way. */
export interface DescribeTransportOptions extends Partial<TransportHooks> {
  /**
   * Whether the client rejects with `error` when its caller's signal aborts with `reason`. Default: that reason, an error
   * with it as its `cause`, or an error named `AbortError`.
   */
  readonly isAbort?: (error: unknown, reason: unknown) => boolean
  /**
   * Whether the client rejects with `error` when its own timeout is over. Left out: the client has no timeout of its own,
   * and the scenarios about one are left out too.
   */
  readonly isTimeout?: (error: unknown) => boolean
  /**
   * How the client gives a 401 or 403 to its caller, in a word of yours: `'Response'`, `'HTTPError'`. Where it is set, the
   * `givenAs` of every refusal must say the same; left out, only the status is looked at.
   */
  readonly givesRefusalsAs?: string
  /** Milliseconds after which a scenario that does not come to its end fails. Default: 10,000. */
  readonly timeout?: number
}
