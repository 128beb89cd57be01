import { resolveHooks } from './hooks.ts'
import type { Run } from './run-scenario.ts'
import { themes } from './scenarios/index.ts'
import { createSuite } from './suite.ts'
import type { DescribeTransportOptions, TransportFactory } from './types.ts'

/**
 * Declares the conformance suite: the behaviour that every transport needs to send a session's token. The transports of this
 * package run it. Run it for your own transport too, over any HTTP client.
 *
 * It declares one `describe` named `name`, with one `describe` for each theme (bursts, replays, origins, refusals, aborts,
 * refreshes, retries, endings, sign-ins and sign-outs in between, lifetimes and clocks), and one `it` for each scenario. Each
 * scenario has its own token server on loopback, real sessions, and a new client from `factory`. It waits for events instead
 * of time, cleans up after itself, and needs no other hook of the runner. In a runtime with a `process`, an unhandled
 * rejection fails its scenario.
 *
 * The suite needs Node, because of the server, and the global `fetch`. If your runner simulates a browser, choose its plain
 * Node environment. Run scenarios one after another within one process.
 *
 * @param name the title of the suite
 * @param factory creates the client under test for a session; each scenario calls it at least once
 * @param options `describe`, `it` and `expect` of the test runner, if they are not global (Jest, Vitest, `node:test` with an
 * `expect` like Jest's); how the client reports an abort, a timeout and a refusal; `timeout` in milliseconds for each scenario
 * @throws TypeError if `describe`, `it` or `expect` is missing, or `factory` is not a function
 *
 * @example
 * ```ts
 * import { bearerRequest, readChallenge } from 'authchart'
 * import { describeTransport, type TransportFactory } from 'authchart/testing'
 * import { describe, expect, it } from 'vitest'
 *
 * // The transport, here over fetch. Any client that returns a status and headers works.
 * const createClient: TransportFactory = (auth, { origin }) => ({
 *   async request(path, { method, headers, body, signal }) {
 *     const url = new URL(path, origin)
 *     const json = typeof body === 'object'
 *     const send = async (authorization?: string) => {
 *       const own = new Headers({ ...(json && { 'content-type': 'application/json' }), ...headers })
 *       if (authorization) own.set('authorization', authorization)
 *       const init = { method, headers: own, body: json ? JSON.stringify(body) : (body ?? null), signal: signal ?? null }
 *       const response = await fetch(url, init)
 *       return { status: response.status, headers: response.headers, body: await response.text() }
 *     }
 *     // Send the token to its own origin only, and never replace an Authorization header of the caller.
 *     if (url.origin !== origin || new Headers(headers).has('authorization')) return send()
 *     return bearerRequest(auth, {
 *       send,
 *       challenge: ({ status, headers }) => readChallenge(status, headers.get('www-authenticate')),
 *       replayable: true,
 *       key: () => `${method} ${url.pathname}`,
 *       signal,
 *     })
 *   },
 * })
 *
 * describeTransport('my transport', createClient, { describe, it, expect })
 * ```
 *
 * @see RFC 6750 for bearer tokens and challenges, RFC 6749 §6 and RFC 9700 §4.14 for refreshes, RFC 9470 for step-ups
 */
export function describeTransport(
  name: string,
  factory: TransportFactory,
  options: DescribeTransportOptions = {},
): void {
  if (typeof factory !== 'function') {
    throw new TypeError(
      'describeTransport: factory must be a function that creates a client: (auth, { origin }) => ({ request }).',
    )
  }
  declareSuite(name, factory, options)
}

/** `describeTransport`, with something in front of the token server. */
export function declareSuite(
  name: string,
  factory: TransportFactory,
  options: DescribeTransportOptions,
  openFront?: Run['openFront'],
): void {
  const hooks = resolveHooks(options)
  const suite = createSuite(factory, hooks, options, openFront)
  hooks.describe(name, () => {
    for (const theme of themes) theme(suite)
  })
}
