import { AuthError, RefreshTimeoutError, RefreshUnavailableError } from '../../../core/errors.ts'
import type { TokenResponse } from '../../../core/ports.ts'
import type { MalformedAnswer } from '../../token-server/token-server.ts'
import { createVirtualClock } from '../../virtual-clock.ts'
import { isTokenRequest } from '../harness.ts'
import type { Suite } from '../suite.ts'
import { entered, outcomes, times, untilHeld } from '../waits.ts'

const malformed: readonly { kind: MalformedAnswer; problem: RegExp }[] = [
  { kind: 'html', problem: /not valid JSON/ },
  { kind: 'bad-json', problem: /not valid JSON/ },
  { kind: 'empty', problem: /not valid JSON/ },
  { kind: 'no-access-token', problem: /has no access_token/ },
]

const invalid: readonly { what: string; value: unknown; problem: RegExp }[] = [
  { what: 'nothing', value: undefined, problem: /undefined, not an object/ },
  { what: 'null', value: null, problem: /null, not an object/ },
  { what: 'a string', value: 'at-1', problem: /string, not an object/ },
  { what: 'an empty object', value: {}, problem: /has no access_token/ },
  { what: 'null as a token', value: { access_token: null }, problem: /has no access_token/ },
  { what: 'an object as a token', value: { access_token: {} }, problem: /access_token is not a string/ },
  { what: 'an empty token', value: { access_token: '' }, problem: /access_token is not a string/ },
]

const messageOfCause = (error: unknown) => (error as { cause?: Error }).cause?.message

export const brokenEndpoint = ({ theme, scenario, expect }: Suite) =>
  theme('unusable answers of the token endpoint', () => {
    scenario('a refresh that hangs twice rejects the requests and keeps the session', async (setUp) => {
      const clock = createVirtualClock()
      const { server, connect, signedIn, apiLog } = await setUp()
      const auth = await signedIn({ clock, timeouts: { refresh: 100 } })
      const client = connect(auth)
      server.expireAccessTokens()
      server.hangNext(2)
      const first = server.whenRequest(isTokenRequest)
      const held = untilHeld(auth, 10)
      const rejected = outcomes(times(10, () => client.get('/api/x')))
      await Promise.all([first, held])

      const second = server.whenRequest(isTokenRequest)
      await clock.advance(100)
      await second
      await clock.advance(100)

      for (const error of await rejected) {
        expect(error).toBeInstanceOf(RefreshTimeoutError)
        expect(error).toBeInstanceOf(AuthError)
        expect(error).toMatchObject({ reason: 'timeout' })
      }
      expect([server.tokenRequests, apiLog().length]).toEqual([2, 10])
      expect(auth.state).toBe('refreshing')

      expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
      expect(auth.state).toBe('authenticated')
    })

    scenario('a refresh function that ignores its signal times out and keeps the session', async (setUp) => {
      const clock = createVirtualClock()
      const { server, connect, signedIn, refresh } = await setUp()
      let isHanging = true
      const auth = await signedIn({
        clock,
        refresh: (request) => (isHanging ? new Promise<never>(() => {}) : refresh(request)),
        timeouts: { refresh: 100 },
        retry: { attempts: 1 },
      })
      const client = connect(auth)
      server.expireAccessTokens()
      const held = untilHeld(auth, 10)
      const ambiguous = entered(auth, 'refreshing.attempt.ambiguous')
      const rejected = outcomes(times(10, () => client.get('/api/x')))
      await held

      await clock.advance(100)
      await ambiguous
      await clock.advance(100)

      for (const error of await rejected) expect(error).toBeInstanceOf(RefreshTimeoutError)
      isHanging = false
      expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
      expect(auth.state).toBe('authenticated')
    })

    for (const { kind, problem } of malformed) {
      scenario(`an answer that is not a token response (${kind}) is never used`, async (setUp) => {
        const { server, connect, signedIn, apiLog, emitted } = await setUp()
        const auth = await signedIn({ retry: { attempts: 2, minDelay: 1, jitter: 0 } })
        const client = connect(auth)
        server.expireAccessTokens()
        server.malformNext(kind, 2)

        for (const error of await outcomes(times(5, () => client.get('/api/x')))) {
          expect(error).toBeInstanceOf(RefreshUnavailableError)
          expect(error).toMatchObject({ reason: 'invalid_response' })
          expect(messageOfCause(error)).toMatch(problem)
        }
        expect(emitted('expired')).toEqual([])

        expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 2 } })
        // A request that is not sent yet when another one is refused waits first.
        const generations = new Set(apiLog().map(({ generation }) => generation))
        expect([...generations]).toEqual([1, 2])
        expect(apiLog().at(-1)).toMatchObject({ generation: 2 })
        expect(apiLog().length).toBeLessThanOrEqual(6)
      })
    }

    for (const { what, value, problem } of invalid) {
      scenario(
        `a refresh function that returns ${what} never produces an Authorization header`,
        async (setUp) => {
          const { server, connect, signedIn, refresh, apiLog } = await setUp()
          let isBroken = true
          const auth = await signedIn({
            refresh: (request) => (isBroken ? (value as TokenResponse) : refresh(request)),
            retry: { attempts: 1 },
          })
          const client = connect(auth)
          server.expireAccessTokens()

          const [error] = await outcomes([client.get('/api/x')])
          expect(error).toBeInstanceOf(RefreshUnavailableError)
          expect(messageOfCause(error)).toMatch(problem)

          isBroken = false
          expect(await client.get('/api/x')).toMatchObject({ status: 200 })
          expect(apiLog().map(({ generation }) => generation)).toEqual([1, 2])
        },
      )
    }
  })
