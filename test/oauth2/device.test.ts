import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { createOAuth, type DeviceCode, deviceGrant } from '../../src/oauth2/index.ts'
import { createVirtualClock, type VirtualClock } from '../../src/testing/virtual-clock.ts'
import { APP, startProvider } from './provider.ts'

test('a user who enters the code on another machine is signed in on this one', async () => {
  const server = await startProvider()
  // The server asks to wait five seconds between two attempts.
  const clock = {
    now: () => Date.now(),
    setTimeout: (callback: () => void, delay: number) => setTimeout(callback, delay / 100),
    clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
  }
  const oauth = createOAuth({ issuer: server.url, clientId: APP, clock })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  const shown: DeviceCode[] = []

  const signedIn = auth.signIn({
    via: deviceGrant,
    onCode(code) {
      shown.push(code)
      void server.approve(code.userCode, 'grace')
    },
  })

  expect(await signedIn).toMatchObject({ subject: 'grace' })
  expect(shown).toEqual([
    {
      userCode: expect.stringMatching(/^\w{4}-\w{4}$/),
      verificationUri: `${server.url}/device`,
      verificationUriComplete: expect.stringContaining(`${server.url}/device?user_code=`),
      expiresAt: expect.any(Number),
    },
  ])
  await auth.refresh()
  expect(auth.session?.generation).toBe(2)
})

const ISSUER = 'https://id.example.com'

/** A server that answers each poll with the next of these answers; the last one is repeated. */
function signInWith(
  clock: VirtualClock,
  answers: readonly (object | number)[],
  device: object = {},
  onCode: (code: DeviceCode) => void = () => {},
  metadata: object = {},
) {
  const polls: number[] = []
  const json = (body: object, status = 200) => Response.json(body, { status })
  const send = async (url: string): Promise<Response> => {
    if (url.includes('.well-known')) {
      return json({
        issuer: ISSUER,
        token_endpoint: `${ISSUER}/token`,
        device_authorization_endpoint: `${ISSUER}/device`,
        ...metadata,
      })
    }
    if (url.endsWith('/device')) {
      const verification_uri = `${ISSUER}/enter`
      return json({ device_code: 'd', user_code: 'ABCD', verification_uri, expires_in: 60, ...device })
    }
    polls.push(clock.now())
    const answer = answers[Math.min(polls.length, answers.length) - 1]
    if (answer === 0) throw new TypeError('fetch failed')
    if (typeof answer === 'number') return new Response('', { status: answer })
    return json(answer ?? {}, 'error' in (answer ?? {}) ? 400 : 200)
  }
  const oauth = createOAuth({ issuer: ISSUER, clientId: 'app', fetch: send as typeof fetch, clock })
  const auth = createAuth({ ...oauth.ports, clock })
  onTestFinished(() => auth.dispose())
  const began = clock.now()
  const settled = auth.signIn({ via: deviceGrant, onCode }).then(
    () => 'signed in',
    (error) => error,
  )
  return { auth, settled, waits: () => polls.map((at, index) => (at - (polls[index - 1] ?? began)) / 1_000) }
}

describe('the polls of a device', () => {
  const PENDING = { error: 'authorization_pending' }
  const TOKENS = { access_token: 'a', token_type: 'bearer' }

  test.each<[string, (object | number)[], object, number[], unknown]>([
    ['come every five seconds', [PENDING, PENDING, TOKENS], {}, [5, 5, 5], 'signed in'],
    ['come as often as the server says', [PENDING, TOKENS], { interval: 2 }, [2, 2], 'signed in'],
    [
      'come five seconds later each time that the server asks to slow down',
      [{ error: 'slow_down' }, { error: 'slow_down' }, TOKENS],
      {},
      [5, 10, 15],
      'signed in',
    ],
    [
      'come half as often if the server is down or cannot be reached',
      [503, 0, TOKENS],
      {},
      [5, 10, 20],
      'signed in',
    ],
    [
      'come half as often if the server has no time',
      [429, { error: 'temporarily_unavailable' }, { error: 'slow_down' }, TOKENS],
      {},
      [5, 10, 20, 10],
      'signed in',
    ],
    [
      'come once a minute if the server is down for long',
      [503, 503, 503, 503, 503, 503, TOKENS],
      { expires_in: 600 },
      [5, 10, 20, 40, 60, 60, 60],
      'signed in',
    ],
    [
      'come half as often, however rarely the server wants them, if it is down',
      [503, 503, TOKENS],
      { expires_in: 600, interval: 50 },
      [50, 100, 100],
      'signed in',
    ],
    [
      'come as often as before once the server answers again',
      [0, 0, PENDING, TOKENS],
      {},
      [5, 10, 20, 5],
      'signed in',
    ],
    [
      'end when the user denies',
      [PENDING, { error: 'access_denied' }],
      {},
      [5, 5],
      { reason: 'access_denied' },
    ],
    ['end when the server says so', [{ error: 'expired_token' }], {}, [5], { reason: 'expired_token' }],
    [
      'end when the code expires',
      [PENDING],
      { expires_in: 12 },
      [5, 5, 2],
      { reason: 'expired_token', code: 'oauth_failed' },
    ],
  ])('%s', async (_, answers, device, expected, result) => {
    const clock = createVirtualClock()
    const { auth, settled, waits } = signInWith(clock, answers, device)
    await clock.advance(300_000)
    if (result === 'signed in') expect(auth.session?.scope).toBe('openid')
    if (typeof result === 'string') expect(await settled).toBe(result)
    else expect(await settled).toMatchObject(result as object)
    expect(waits()).toEqual(expected)
  })

  test('are not sent over plain http to another machine, and the sign-in says so at once', async () => {
    const clock = createVirtualClock()
    const metadata = { token_endpoint: 'http://id.example.com/token' }
    const { settled, waits } = signInWith(clock, [PENDING], {}, () => {}, metadata)
    await clock.advance(5_000)
    expect(await settled).toMatchObject({ reason: 'insecure' })
    expect(waits()).toEqual([])
  })

  test('end when another sign-in replaces this one', async () => {
    const clock = createVirtualClock()
    const { auth, settled, waits } = signInWith(clock, [PENDING])
    await clock.advance(6_000)
    await auth.signOut()
    await clock.advance(50_000)
    expect(await settled).toMatchObject({ code: 'signed_out' })
    expect(waits()).toEqual([5])
    expect(clock.pending).toBe(0)
  })
})

describe('a device shows', () => {
  test('addresses in which a terminal finds nothing to obey', async () => {
    const shown: DeviceCode[] = []
    const clock = createVirtualClock()
    const page = `${ISSUER}/\u001b[2J"enter`
    const given = { verification_uri: page, verification_uri_complete: `${page}?user_code=ABCD` }
    const { settled } = signInWith(clock, [{ error: 'access_denied' }], given, (code) => shown.push(code))
    await clock.advance(5_000)
    expect(await settled).toMatchObject({ reason: 'access_denied' })
    expect(shown).toMatchObject([
      {
        verificationUri: `${ISSUER}/%1B[2J%22enter`,
        verificationUriComplete: `${ISSUER}/%1B[2J%22enter?user_code=ABCD`,
      },
    ])
  })

  test.each([
    ['a page that is a script', { verification_uri: 'javascript:alert(1)' }, 'insecure'],
    ['a page that is a file', { verification_uri_complete: 'file:///etc/passwd' }, 'insecure'],
    ['a page over plain http', { verification_uri: 'http://id.example.com/enter' }, 'insecure'],
    ['a page that is no URL', { verification_uri: 'id.example.com/enter' }, 'invalid_response'],
    ['a page without an origin', { verification_uri_complete: '/enter?a' }, 'invalid_response'],
    ['a code that a terminal obeys', { user_code: '\u001b]0;title\u0007ABCD' }, 'invalid_response'],
  ])('not %s', async (_, device, reason) => {
    const shown: DeviceCode[] = []
    const { settled, waits } = signInWith(createVirtualClock(), [], device, (code) => shown.push(code))
    expect(await settled).toMatchObject({ code: 'oauth_failed', reason })
    expect([shown, waits()]).toEqual([[], []])
  })
})
