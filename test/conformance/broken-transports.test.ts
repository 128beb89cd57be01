import { describe, expect, it, onTestFinished } from 'vitest'
import type { TransportFactory } from '../../src/testing/index.ts'
import { flawed, littering, neverGivingUp, neverRefreshing } from './broken-transports.ts'
import { failuresOf } from './collect.ts'

const BURST = 'a token dies under load'
const REPLAYS = 'what is sent again'
const ORIGINS = 'where the token goes'
const REFUSALS = 'a refusal no renewal can help'
const CALLERS = 'the caller leaves'

/** Enough for every scenario that passes, and not too much for those that never end. */
const timeout = 2_000
const NEVER_ENDED = /^The scenario has not ended within 2000 ms\. Sessions: \w+\. Requests: .*(GET|POST) \//

const failing = async (factory: TransportFactory, theme: string) =>
  Object.keys(await failuresOf(factory, theme, { timeout })).sort()

describe('the suite', () => {
  it.each([BURST, REPLAYS, ORIGINS, REFUSALS, CALLERS])(
    'finds no fault with a transport that has none: %s',
    async (theme) => {
      expect(await failuresOf(flawed({}), theme)).toEqual({})
    },
  )

  it('finds that nothing is renewed', async () => {
    const failures = await failuresOf(neverRefreshing, BURST, { timeout })

    expect(failures).toEqual({
      'a hundred parallel 401s cost one refresh and succeed, each replayed once':
        expect.stringMatching(/401/),
      'requests begun while the token is renewed are held and leave with the new one':
        expect.stringMatching(/401/),
      'a 401 that comes after the renewal is replayed without another one': expect.stringMatching(/401/),
      'a POST refused before it ran takes effect once, with the same bytes': expect.stringMatching(/401/),
      'three tokens killed in a row are renewed three times, and no refresh token is used twice':
        expect.stringMatching(/undefined/),
    })
  })

  it('finds that a refused request is sent again and again, and puts an end to it', async () => {
    const failures = await failuresOf(neverGivingUp, REFUSALS, { timeout })

    expect(failures).toEqual({
      'a 401 in spite of a fresh token is given to the caller, and the endpoint gets no more renewals':
        expect.stringMatching(NEVER_ENDED),
      'an endpoint that always refuses does not keep others from a renewal of their own':
        expect.stringMatching(NEVER_ENDED),
      'an endpoint that refused a token for good gets a renewal again once that token is gone':
        expect.stringMatching(NEVER_ENDED),
      'a burst of requests that are always refused costs one renewal': expect.stringMatching(NEVER_ENDED),
      'insufficient_scope asks for a step-up instead of a renewal': expect.any(String),
      'insufficient_user_authentication asks for a step-up, with what RFC 9470 says about it':
        expect.stringMatching(NEVER_ENDED),
      'a step-up that shows only after a renewal is told and given back too':
        expect.stringMatching(NEVER_ENDED),
    })
  })

  it.each([
    [{ anywhere: true }, 'a request to another origin takes no token there, and its 401 costs no renewal'],
    [{ credulous: true }, 'a redirect to another origin does not take the token along'],
    [
      { overbearing: true },
      "an Authorization header of the caller's own is left alone, and its 401 is its own",
    ],
  ])('finds that the token goes where it should not: %j', async (flaw, title) => {
    expect(await failing(flawed(flaw), ORIGINS)).toEqual([title])
  })

  it('finds that a held request does not hear its caller', async () => {
    expect(await failuresOf(flawed({ deaf: true }), CALLERS, { timeout })).toEqual({
      'a signal aborted while the request is held rejects it at once; nothing else notices':
        expect.stringMatching(NEVER_ENDED),
      'a signal aborted between a 401 and the replay rejects the call; it is not sent again':
        expect.stringMatching(NEVER_ENDED),
    })
  })

  it('finds that a replay is not what was sent first', async () => {
    expect(await failing(flawed({ forgetful: true }), REPLAYS)).toEqual([
      'a DELETE is replayed with its query, headers and bytes',
      'a PATCH is replayed with its query, headers and bytes',
      'a POST is replayed with its query, headers and bytes',
      'a PUT is replayed with its query, headers and bytes',
      'an object is replayed as the JSON it was',
    ])
  })

  it('finds a promise that was left to reject', async () => {
    // Vitest would count it as its own find.
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
