import { describe, expect, test } from 'vitest'
import {
  AuthError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  type TokenResponse,
} from '../../src/index.ts'
import type { MalformedAnswer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { entered, isTokenRequest, nextEvent, outcomes, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const malformed: readonly { kind: MalformedAnswer; problem: RegExp }[] = [
  { kind: 'html', problem: /not valid JSON/ },
  { kind: 'bad-json', problem: /not valid JSON/ },
  { kind: 'empty', problem: /not valid JSON/ },
  { kind: 'no-access-token', problem: /has no access_token/ },
]

const useless: readonly { what: string; value: unknown; problem: RegExp }[] = [
  { what: 'nothing', value: undefined, problem: /undefined, not an object/ },
  { what: 'null', value: null, problem: /null, not an object/ },
  { what: 'a string', value: 'at-1', problem: /string, not an object/ },
  { what: 'an object with nothing in it', value: {}, problem: /has no access_token/ },
  { what: 'a null for a token', value: { access_token: null }, problem: /has no access_token/ },
  { what: 'an object for a token', value: { access_token: {} }, problem: /access_token is not a string/ },
  { what: 'an empty token', value: { access_token: '' }, problem: /access_token is not a string/ },
]

describe.each(transports)('$name: the token endpoint answers nothing of use', ({ create }) => {
  test('an exchange that hangs is given up after two tries, and the session is kept', async () => {
    const clock = createVirtualClock()
    const { server, url, signedIn, apiLog } = await setUp()
    const auth = await signedIn({ clock, timeouts: { refresh: 100 } })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.hangNext(2)
    const first = server.whenRequest(isTokenRequest)
    const held = nextEvent(auth, 'requestHeld', (event) => event.held === 10)
    const turnedAway = outcomes(times(10, () => client.get('/api/x')))
    await Promise.all([first, held])

    const second = server.whenRequest(isTokenRequest)
    await clock.advance(100)
    await second
    await clock.advance(100)

    for (const error of await turnedAway) {
      expect(error).toBeInstanceOf(RefreshTimeoutError)
      expect(error).toBeInstanceOf(AuthError)
      expect(error).toMatchObject({ reason: 'timeout' })
    }
    expect([server.tokenRequests, apiLog().length]).toEqual([2, 10])
    expect(auth.state).toBe('refreshing')

    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect(auth.state).toBe('authenticated')
  })

  test('a refresh function that ignores its signal is given up as well', async () => {
    const clock = createVirtualClock()
    const { server, url, signedIn, refresh } = await setUp()
    let deaf = true
    const auth = await signedIn({
      clock,
      refresh: (request) => (deaf ? new Promise<never>(() => {}) : refresh(request)),
      timeouts: { refresh: 100 },
      retry: { attempts: 1 },
    })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    const held = nextEvent(auth, 'requestHeld', (event) => event.held === 10)
    const again = entered(auth, 'refreshing.exchange.uncertain')
    const turnedAway = outcomes(times(10, () => client.get('/api/x')))
    await held

    await clock.advance(100)
    await again
    await clock.advance(100)

    for (const error of await turnedAway) expect(error).toBeInstanceOf(RefreshTimeoutError)
    deaf = false
    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect(auth.state).toBe('authenticated')
  })

  test.each(malformed)('an answer that is no token response ($kind) is never used', async (answer) => {
    const { server, url, signedIn, apiLog, emitted } = await setUp()
    const auth = await signedIn({ retry: { attempts: 2, minDelay: 1, jitter: 0 } })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.malformNext(answer.kind, 2)

    for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
      expect(error).toBeInstanceOf(RefreshUnavailableError)
      expect(error).toMatchObject({ reason: 'invalid_response' })
      expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(answer.problem) })
    }
    expect(emitted('expired')).toEqual([])

    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
    expect(apiLog().map(({ generation }) => generation)).toEqual([1, 1, 1, 1, 1, 2])
  })

  test.each(useless)('a refresh function that returns $what makes no header', async (answer) => {
    const { server, url, signedIn, refresh, apiLog } = await setUp()
    let broken = true
    const auth = await signedIn({
      refresh: (request) => (broken ? (answer.value as TokenResponse) : refresh(request)),
      retry: { attempts: 1 },
    })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    const [error] = await outcomes([client.get('/api/x')])
    expect(error).toBeInstanceOf(RefreshUnavailableError)
    expect((error as Error).cause).toMatchObject({ message: expect.stringMatching(answer.problem) })

    broken = false
    expect(await client.get('/api/x')).toMatchObject({ status: 200 })
    expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2])
  })
})
