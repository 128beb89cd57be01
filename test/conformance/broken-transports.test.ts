import { describe, expect, it, onTestFinished } from 'vitest'
import type { TransportFactory } from '../../src/testing/index.ts'
import { flawed, littering, neverGivingUp, neverRefreshing } from './broken-transports.ts'
import { failuresOf } from './collect.ts'

const BURST = 'a burst of requests with an expired token'
const REPLAYS = 'replayed requests'
const ORIGINS = 'the origins that receive the token'
const REFUSALS = 'refusals that a refresh cannot fix'
const ABORTS = 'aborted calls'

/** In milliseconds: long enough for scenarios that pass, and short for those that never end. */
const timeout = 2_000
const NEVER_ENDED = /^The scenario did not end within 2000 ms\. Sessions: \w+\. Requests: .*(GET|POST) \//

const failing = async (factory: TransportFactory, theme: string) =>
  Object.keys(await failuresOf(factory, theme, { timeout })).sort()

describe('the conformance suite', () => {
  it.each([BURST, REPLAYS, ORIGINS, REFUSALS, ABORTS])(
    'the suite passes a transport without flaws: %s',
    async (theme) => {
      expect(await failuresOf(flawed({}), theme)).toEqual({})
    },
  )

  it('the suite fails a transport that never refreshes', async () => {
    const failures = await failuresOf(neverRefreshing, BURST)

    expect(failures).toEqual({
      'a hundred parallel 401s cause one refresh, and each request is replayed once and succeeds':
        expect.stringMatching(/401/),
      'requests started during a refresh are held and sent with the new token': expect.stringMatching(/401/),
      'a 401 that arrives after the refresh is replayed without another refresh':
        expect.stringMatching(/401/),
      'a POST that was rejected with a 401 is replayed with the same bytes and takes effect once':
        expect.stringMatching(/401/),
      'three expired tokens in a row cause three refreshes, and no refresh token is used twice':
        expect.stringMatching(/undefined/),
    })
  })

  it('the suite fails a transport that replays without end, and stops it', async () => {
    const failures = await failuresOf(neverGivingUp, REFUSALS, { timeout })

    expect(failures).toEqual({
      'a 401 for a fresh token is returned to the caller, and the endpoint causes no more refreshes':
        expect.stringMatching(NEVER_ENDED),
      'an endpoint that always answers 401 does not prevent refreshes for other endpoints':
        expect.stringMatching(NEVER_ENDED),
      'an endpoint that always answers 401 causes no other refresh after the token was replaced':
        expect.stringMatching(NEVER_ENDED),
      'a burst of requests that always get a 401 causes one refresh': expect.stringMatching(NEVER_ENDED),
      'insufficient_scope emits stepUpRequired and causes no refresh': expect.any(String),
      'insufficient_user_authentication emits stepUpRequired with the parameters of RFC 9470':
        expect.stringMatching(NEVER_ENDED),
      'a step-up challenge after a refresh is emitted and returned to the caller as well':
        expect.stringMatching(NEVER_ENDED),
    })
  })

  it.each([
    [
      { sendsAnywhere: true },
      'a request to another origin is sent without a token, and its 401 causes no refresh',
    ],
    [{ followsRedirects: true }, 'a redirect to another origin does not send the token there'],
    [
      { overridesCaller: true },
      'an Authorization header of the caller is not replaced, and its 401 is returned to the caller',
    ],
  ])('the suite fails a transport that sends the token to the wrong place: %j', async (flaw, title) => {
    expect(await failing(flawed(flaw), ORIGINS)).toEqual([title])
  })

  it('the suite fails a transport whose held requests ignore the signal of the caller', async () => {
    expect(await failuresOf(flawed({ ignoresSignal: true }), ABORTS, { timeout })).toEqual({
      'a signal that aborts a held request rejects it immediately and affects no other request':
        expect.stringMatching(NEVER_ENDED),
      'a signal that aborts between a 401 and the replay rejects the call, and it is not replayed':
        expect.stringMatching(NEVER_ENDED),
    })
  })

  it('the suite fails a transport whose replay differs from the first request', async () => {
    expect(await failing(flawed({ losesBody: true }), REPLAYS)).toEqual([
      'a DELETE is replayed with the same query, headers and bytes',
      'a PATCH is replayed with the same query, headers and bytes',
      'a POST is replayed with the same query, headers and bytes',
      'a PUT is replayed with the same query, headers and bytes',
      'an object body is replayed as the same JSON',
    ])
  })

  it('the suite fails a transport that leaves an unhandled rejection', async () => {
    // Remove the listeners of Vitest, which would fail the run.
    const listeners = process.rawListeners('unhandledRejection') as NodeJS.UnhandledRejectionListener[]
    process.removeAllListeners('unhandledRejection')
    onTestFinished(() => {
      for (const listener of listeners) process.on('unhandledRejection', listener)
    })

    expect(Object.values(await failuresOf(littering, ORIGINS))).toEqual(
      Array(3).fill(expect.stringMatching(/unhandledRejections/)),
    )
    expect(process.listenerCount('unhandledRejection')).toBe(0)
  })
})
