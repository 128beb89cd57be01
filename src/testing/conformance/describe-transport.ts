import { resolveHooks } from './hooks.ts'
import { createKit } from './kit.ts'
import { themes } from './scenarios/index.ts'
import type { DescribeTransportOptions, TransportFactory } from './types.ts'

/**
 * The conformance suite: what every transport has to do that sends a session's token, however it sends. The transports of
 * this package run it; so can one of your own, over any HTTP client.
 *
 * Declares one `describe` named `name`, in it one for each theme (bursts, replays, origins, refusals, aborts, renewals,
 * retries, endings, sign-ins and sign-outs in between, lifetimes and clocks), and one `it` for each scenario. A scenario
 * has a token server of its own on loopback, real sessions, and a client fresh from `factory`; it waits for events rather
 * than for time, leaves nothing behind, and needs no other hook of the runner. Where there is a `process`, a promise that
 * rejects with nobody to handle it fails the scenario it happens in.
 *
 * Needs Node, because of the server, and its global `fetch`: with a runner that imitates a browser, choose its plain Node
 * environment. Scenarios are meant to run one after another within one process.
 *
 * @param name what the suite is called
 * @param factory makes the client under test over a session; called in each scenario, once or more
 * @param options `describe`, `it` and `expect` of the test runner, where they are not global (Jest, Vitest, `node:test`
 * with any `expect` like Jest's); how the client tells an abort, a timeout and a refusal; `timeout` in milliseconds for
 * each scenario
 * @throws TypeError where there is no `describe`, `it` or `expect`, or `factory` is not a function
 *
 * @example
 * ```ts
 * import { bearerRequest, readChallenge } from 'authchart'
 * import { describeTransport, type TransportFactory } from 'authchart/testing'
 * import { describe, expect, it } from 'vitest'
 *
 * // The transport, here over fetch: any client that tells a status and a header will do.
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
 *     // The token goes to its own origin only, and not where the caller has brought something else.
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
 * @see RFC 6750 for what is sent and refused, RFC 6749 §6 and RFC 9700 §4.14 for renewals, RFC 9470 for step-ups
 */
export function describeTransport(
  name: string,
  factory: TransportFactory,
  options: DescribeTransportOptions = {},
): void {
  if (typeof factory !== 'function') {
    throw new TypeError(
      'describeTransport: factory must be a function that makes a client: (auth, { origin }) => ({ request }).',
    )
  }
  const hooks = resolveHooks(options)
  const kit = createKit(factory, hooks, options)
  hooks.describe(name, () => {
    for (const theme of themes) theme(kit)
  })
}
