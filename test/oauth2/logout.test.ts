import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { createAuth } from '../../src/index.ts'
import { createOAuth, frontChannelLogout, memoryTransactions } from '../../src/oauth2/index.ts'
import { createLogoutVerifier, type LogoutClaims } from '../../src/oauth2/logout-token.ts'
import { connect, startIssuer } from './issuer.ts'
import { APP, CALLBACK, createBrowser, startProvider } from './provider.ts'

/** Remembers keys, like Redis. */
function createMemory() {
  const keys = new Map<string, number>()
  const memory = { isDown: false }
  const up = () => {
    if (memory.isDown) throw new Error('the store is down')
    return keys
  }
  return {
    keys,
    memory,
    isRemembered: (key: string) => up().has(key),
    remember: (key: string, lifetime: number) => up().set(key, lifetime),
  }
}

describe('a sign-out at the server', () => {
  /** An app that is notified by logout tokens, and a way to sign in and out at the server. */
  async function notified() {
    const ended: LogoutClaims[] = []
    const tokens: string[] = []
    const answers: number[] = []
    const app = await listen(async (incoming, response) => {
      let body = ''
      for await (const chunk of incoming) body += chunk
      tokens.push(new URLSearchParams(body).get('logout_token') ?? '')
      const request = new Request('http://app/logout', { method: 'POST', body })
      const answer = await logout.handle(request, (claims) => void ended.push(claims))
      answers.push(answer.status)
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
    })
    onTestFinished(app.close)
    const server = await startProvider({ backchannelLogoutUri: `${app.url}/logout` })
    const { isRemembered, remember } = createMemory()
    const logout = createLogoutVerifier({ issuer: server.url, clientId: APP, isRemembered, remember })
    const oauth = createOAuth({
      issuer: server.url,
      clientId: APP,
      redirectUri: CALLBACK,
      transactions: memoryTransactions(),
    })
    /** Signs Ada in and returns the session at the server, and a way to sign out there. */
    async function signIn() {
      const auth = createAuth(oauth.ports)
      onTestFinished(() => auth.dispose())
      const browser = createBrowser()
      await auth.signIn({ via: 'callback', url: await browser(await oauth.authorizationUrl()) })
      const sid = auth.session?.claims?.sid as string
      expect(sid).toEqual(expect.any(String))
      return { sid, signOut: async () => browser.signOut((await oauth.signOutUrl(auth)) as URL) }
    }
    return { server, logout, signIn, ended, tokens, answers }
  }

  test('is reported by a logout token, which ends the session of its sid, once', async () => {
    const { signIn, ended, answers, logout, tokens } = await notified()
    const { sid, signOut } = await signIn()

    await signOut()

    expect(answers).toEqual([200])
    expect(ended).toEqual([{ subject: 'ada', sid }])
    await expect(logout.verify(tokens[0] ?? '', () => {})).rejects.toMatchObject({ reason: 'already_used' })
  })

  test('is reported by a token of a key that the server has had for a second', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const { server, signIn, ended, answers } = await notified()
    const before = await signIn()
    await before.signOut()
    await server.restart()
    const after = await signIn()

    vi.setSystemTime(Date.now() + 1_000)
    await after.signOut()

    expect(answers).toEqual([200, 200])
    expect(ended.map(({ sid }) => sid)).toEqual([before.sid, after.sid])
  })

  test('gets the ID token as its hint, and the address to return to', async () => {
    const issuer = await startIssuer()
    issuer.misbehave({ metadata: { end_session_endpoint: `${issuer.url}/end?tenant=1` } })
    const { oauth, auth } = await connect(issuer, { postLogoutRedirectUri: 'https://app.example.com/bye' })
    await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })

    const url = await oauth.signOutUrl(auth, { state: 'x' })

    expect(Object.fromEntries(url?.searchParams ?? [])).toEqual({
      tenant: '1',
      client_id: 'app',
      id_token_hint: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      post_logout_redirect_uri: 'https://app.example.com/bye',
      state: 'x',
    })
    await auth.signOut()
    expect((await oauth.signOutUrl(auth))?.searchParams.has('id_token_hint')).toBe(false)
  })

  test.each([503, 0])(
    'has no address if the server cannot be asked for it (%s), so that the app signs out',
    async (status) => {
      const issuer = await startIssuer()
      issuer.misbehave({ discovery: [status || 200, '<html>'] })
      const { oauth, auth } = await connect(issuer, status ? {} : { issuer: 'http://127.0.0.1:1' })
      await auth.setTokens({ access_token: 'a' })
      expect(await oauth.signOutUrl(auth)).toBeUndefined()
      expect(auth.state).toBe('authenticated')
    },
  )

  test.each(['/end', 'id.example.com/end'])('has no address %s, which is not a URL', async (page) => {
    const issuer = await startIssuer()
    issuer.misbehave({ metadata: { end_session_endpoint: page } })
    const { oauth, auth } = await connect(issuer)
    await expect(oauth.signOutUrl(auth)).rejects.toMatchObject({
      code: 'oauth_failed',
      reason: 'invalid_response',
    })
  })

  test('has no address at a server without such a page', async () => {
    const { oauth, auth } = await connect(await startIssuer())
    expect(await oauth.signOutUrl(auth)).toBeUndefined()
  })
})

describe('a logout token', () => {
  const ISSUER = 'https://id.example.com'
  const NOW = Date.now()
  const seconds = Math.floor(NOW / 1_000)

  async function setUp() {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }
    const { keys, memory, isRemembered, remember } = createMemory()
    let isDown = false
    let requests = 0
    let place = `${ISSUER}/keys`
    const answers = new Map<string, () => Response>()
    const send = async (input: string | URL | Request) => {
      const url = String(input)
      requests++
      if (isDown) throw new TypeError('fetch failed')
      if (url.includes('.well-known')) return Response.json({ issuer: ISSUER, jwks_uri: place })
      return answers.get(url)?.() ?? Response.json({ keys: [jwk] })
    }
    const verifier = createLogoutVerifier({
      issuer: ISSUER,
      clientId: 'app',
      fetch: send as typeof fetch,
      isRemembered,
      remember,
    })
    const sign = (changes: Record<string, unknown> = {}, header: object = {}, key = privateKey) =>
      new SignJWT({
        iss: ISSUER,
        aud: 'app',
        iat: seconds,
        exp: seconds + 120,
        jti: 'j',
        sid: 's',
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        ...changes,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'logout+jwt', ...header })
        .sign(key)
    const post = async (token: string, end: (claims: LogoutClaims) => unknown = () => {}) => {
      const body = new URLSearchParams({ logout_token: token })
      return (await verifier.handle(new Request('https://app/', { method: 'POST', body }), end)).status
    }
    return {
      keys,
      memory,
      verifier,
      sign,
      post,
      requests: () => requests,
      fail: (down: boolean) => {
        isDown = down
      },
      /** What the address of the keys answers. */
      answerKeys: (make?: (keys: object) => Response) =>
        make ? answers.set(place, () => make({ keys: [jwk] })) : answers.delete(place),
      /** Moves the keys to another address. */
      move: (to: string) => {
        answers.set(place, () => new Response('Not found', { status: 404 }))
        place = to
      },
    }
  }

  test('is accepted with a session or a user, and the keys are requested once', async () => {
    const { sign, verifier, requests, keys } = await setUp()
    const none = () => {}
    expect(await verifier.verify(await sign(), none)).toEqual({ sid: 's', subject: undefined })
    expect(await verifier.verify(await sign({ sid: undefined, sub: 'ada', jti: 'k' }), none)).toEqual({
      sid: undefined,
      subject: 'ada',
    })
    expect(requests()).toBe(2)
    expect([...keys.values()]).toEqual([1_500_000, 1_500_000])
  })

  test.each([-600, 600])(
    'is accepted if the clock is wrong by ten minutes (%s s), and remembered for as long as it is',
    async (offset) => {
      const { sign, post, keys } = await setUp()
      const token = await sign({ iat: seconds + offset, exp: seconds + offset + 120 })
      expect([await post(token), await post(token)]).toEqual([200, 400])
      // From the earliest to the latest time at which a clock accepts it.
      expect(keys.get('j')).toBeGreaterThanOrEqual((660 + 120 + 660) * 1_000)
    },
  )

  test.each<[string, Record<string, unknown>, object?]>([
    ['is of another type', {}, { typ: 'JWT' }],
    ['has no type', {}, { typ: undefined }],
    ['is of another issuer', { iss: 'https://evil.example.com' }],
    ['is for another client', { aud: 'other' }],
    ['is older than two minutes, whatever the clock', { iat: seconds - 900 }],
    ['is of a time to come', { iat: seconds + 900 }],
    ['has no time of issue', { iat: undefined }],
    ['has expired', { exp: seconds - 900 }],
    ['has no jti', { jti: undefined }],
    ['has a jti that is too long', { jti: 'x'.repeat(300) }],
    ['has a nonce, as an ID token', { nonce: 'n' }],
    ['has no event', { events: undefined }],
    ['has another event', { events: { 'http://schemas.openid.net/event/other': {} } }],
    [
      'has an event that is not an object',
      { events: { 'http://schemas.openid.net/event/backchannel-logout': 1 } },
    ],
    ['names neither a user nor a session', { sid: undefined }],
    ['is signed with an unknown key', {}, { kid: 'other' }],
  ])('is refused if it %s', async (_, changes, header) => {
    const { sign, post, keys } = await setUp()
    const ended: unknown[] = []
    expect(await post(await sign(changes, header), (claims) => ended.push(claims))).toBe(400)
    expect([ended, keys.size]).toEqual([[], 0])
  })

  test('is refused if its signature is wrong, or if it is no JWT', async () => {
    const { sign, post } = await setUp()
    const { privateKey } = await generateKeyPair('ES256')
    expect(await post(await sign({}, {}, privateKey))).toBe(400)
    for (const token of ['', 'a.b.c', 'x'.repeat(20_000)]) expect(await post(token)).toBe(400)
  })

  test('is accepted again if the sessions could not be ended, although the memory fails at the same time', async () => {
    const { sign, post, memory } = await setUp()
    const token = await sign()
    const failing = () => {
      memory.isDown = true
      throw new Error('the store is down')
    }
    expect(await post(token, failing)).toBe(503)
    expect(await post(token)).toBe(503)
    memory.isDown = false
    expect(await post(token)).toBe(200)
    expect(await post(token)).toBe(400)
  })

  test('is to be sent again if the keys cannot be read', async () => {
    const { sign, post, fail } = await setUp()
    const token = await sign()
    fail(true)
    expect(await post(token)).toBe(503)
    fail(false)
    expect(await post(token)).toBe(200)
  })

  test.each<[string, () => Response]>([
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['an error in JSON', () => Response.json({ error: 'busy' })],
    ['keys that are no list', () => Response.json({ keys: {} })],
    ['another address', () => Response.redirect(`${ISSUER}/elsewhere`)],
  ])('is to be sent again if %s is where the keys should be', async (_, make) => {
    const { sign, post, answerKeys } = await setUp()
    const token = await sign()
    answerKeys(make)
    expect(await post(token)).toBe(503)
    answerKeys()
    expect(await post(token)).toBe(200)
  })

  test('is accepted if the keys are of another content type', async () => {
    const { sign, post, answerKeys } = await setUp()
    answerKeys((keys) => new Response(JSON.stringify(keys)))
    expect(await post(await sign())).toBe(200)
  })

  test('is accepted if the keys have moved, as soon as the metadata are read again', async () => {
    const { sign, post, move } = await setUp()
    expect(await post(await sign())).toBe(200)
    move(`${ISSUER}/new-keys`)
    // Keys are read again after ten minutes.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_000 })
    onTestFinished(() => void vi.useRealTimers())
    const token = await sign({ jti: 'next' })
    expect(await post(token)).toBe(503)
    await vi.waitUntil(async () => (await post(token)) === 200)
  })
})

describe('a front-channel logout', () => {
  async function signedIn(sid?: string) {
    const issuer = await startIssuer()
    if (sid) issuer.misbehave({ claims: (claims) => ({ ...claims, sid }) })
    const { oauth, auth } = await connect(issuer)
    await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
    const end = (query: Record<string, string>) =>
      frontChannelLogout(auth, `https://app.example.com/ended?${new URLSearchParams(query)}`)
    return { auth, end, iss: issuer.url }
  }

  test('ends the session that it names', async () => {
    const { auth, end, iss } = await signedIn('s')
    expect(await end({ iss, sid: 's' })).toBe(true)
    expect(auth.state).toBe('loggedOut')
    expect(await end({ iss, sid: 's' })).toBe(false)
  })

  test('leaves a session without a name alone, because any site could open the page', async () => {
    const { auth, end } = await signedIn()
    expect(await end({})).toBe(false)
    expect(auth.state).toBe('authenticated')
  })

  test.each([
    ['names another session', { sid: 'other' }],
    ['names no session', {}],
    ['names another issuer', { sid: 's', iss: 'https://evil.example.com' }],
  ])('leaves the session alone if the request %s', async (_, query) => {
    const { auth, end } = await signedIn('s')
    expect(await end(query as Record<string, string>)).toBe(false)
    expect(auth.state).toBe('authenticated')
  })
})
