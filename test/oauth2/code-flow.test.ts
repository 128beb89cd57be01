import { type ClientAuth, ClientSecretBasic, ClientSecretPost } from 'oauth4webapi'
import { expect, onTestFinished, test } from 'vitest'
import { createAuth, type RefreshRequest } from '../../src/index.ts'
import { createOAuth, memoryTransactions, type OAuthOptions } from '../../src/oauth2/index.ts'
import {
  API,
  APP,
  BACKEND,
  CALLBACK,
  createBrowser,
  OTHER_APP,
  type ProviderOptions,
  SECRET,
  startProvider,
} from './provider.ts'

async function setUp(providerOptions: ProviderOptions = {}, options: Partial<OAuthOptions> = {}) {
  const server = await startProvider(providerOptions)
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
    ...options,
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  const browse = createBrowser()
  return { server, oauth, auth, browse }
}

const post = (path: string) => `POST ${path}`

test('a code with PKCE, state and nonce becomes a session, and each refresh rotates the refresh token', async () => {
  const { server, oauth, auth, browse } = await setUp()

  const start = await oauth.authorizationUrl({ loginHint: 'grace', returnTo: '/reports?page=2' })
  for (const name of ['state', 'nonce', 'code_challenge'])
    expect(start.searchParams.get(name)).toMatch(/^[\w-]{43}$/)
  expect(Object.fromEntries(start.searchParams)).toMatchObject({
    client_id: APP,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid',
    code_challenge_method: 'S256',
    login_hint: 'grace',
  })
  const session = await auth.signIn({ via: 'callback', url: await browse(start) })

  expect(session).toMatchObject({ subject: 'grace', claims: { iss: server.url, aud: APP }, epoch: 1 })
  expect(oauth.returnTo).toBe('/reports?page=2')
  const first = await auth.getAccessToken()
  await auth.refresh()
  await auth.refresh()
  expect(auth.session).toMatchObject({ subject: 'grace', generation: 3 })
  expect(await auth.getAccessToken()).not.toBe(first)
  expect(server.problems).toEqual([])
})

test('a sign-in succeeds in a browser of 2023, which has no AbortSignal.any', async () => {
  const { any } = AbortSignal
  onTestFinished(() => void Object.assign(AbortSignal, { any }))
  Object.assign(AbortSignal, { any: undefined })
  const { oauth, auth, browse } = await setUp()
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  expect(auth.session).toMatchObject({ subject: 'ada' })
})

test('a sign-out revokes the tokens of the session at the server', async () => {
  const { server, oauth, auth, browse } = await setUp()
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  const token = await auth.getAccessToken()
  expect(await server.introspect(token)).toBeDefined()

  await auth.signOut()

  expect(await server.introspect(token)).toBeUndefined()
  expect(server.requests.at(-1)).toBe(post('/token/revocation'))
})

test('the parameters go to the server first if it requires that, and only a reference is in the address', async () => {
  const { server, oauth, auth, browse } = await setUp({ requiresPar: true })

  const start = await oauth.authorizationUrl()
  expect([...start.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
  expect(server.requests).toContain(post('/request'))
  await auth.signIn({ via: 'callback', url: await browse(start) })

  expect(auth.session?.subject).toBe('ada')
})

test('pushed parameters are an option for servers that do not require them', async () => {
  const { server, oauth } = await setUp({}, { par: 'always' })
  expect((await oauth.authorizationUrl()).searchParams.get('request_uri')).toMatch(/^urn:/)
  expect(server.requests).toContain(post('/request'))

  const plain = await setUp({})
  await plain.oauth.authorizationUrl()
  expect(plain.server.requests).not.toContain(post('/request'))
})

test.each<[string, () => Response, string]>([
  [
    'does not know the client',
    () => Response.json({ error: 'invalid_client' }, { status: 401 }),
    'invalid_client',
  ],
  ['is too busy', () => new Response('<html>', { status: 429 }), 'server_error'],
  ['is down', () => new Response('', { status: 503 }), 'server_error'],
  ['fails in words', () => Response.json({ error: 'server_error' }, { status: 500 }), 'server_error'],
  ['asks for a proof', () => Response.json({ error: 'use_dpop_nonce' }, { status: 400 }), 'use_dpop_nonce'],
  ['has no reference', () => Response.json({ expires_in: 60 }, { status: 201 }), 'invalid_response'],
  ['sends a page', () => new Response('<html>'), 'invalid_response'],
])(
  'a sign-in says so if the server of its pushed parameters %s, and the next one succeeds',
  async (_, fault, reason) => {
    let isFaulty = true
    const { oauth } = await setUp(
      { requiresPar: true },
      {
        fetch: async (url, init) => {
          if (isFaulty && String(url).endsWith('/request')) return fault()
          return fetch(url, init)
        },
      },
    )
    await expect(oauth.authorizationUrl()).rejects.toMatchObject({ code: 'oauth_failed', reason })
    isFaulty = false
    expect((await oauth.authorizationUrl()).searchParams.get('request_uri')).toMatch(/^urn:/)
  },
)

test.each([
  ['in a header', ClientSecretBasic],
  ['in the body', ClientSecretPost],
])('a sign-in of a backend whose secret is wrong, %s, says so', async (_, withSecret) => {
  for (const par of ['never', 'always'] as const) {
    const clientAuth = withSecret('wrong')
    const { oauth, auth, browse } = await setUp({}, { clientId: BACKEND, clientAuth, par })
    const signIn = async () =>
      auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
    await expect(signIn()).rejects.toMatchObject({ code: 'oauth_failed', reason: 'invalid_client' })
  }
})

test('the access token is for the API in the option resource, after a refresh, too', async () => {
  const { server, oauth, auth, browse } = await setUp({}, { resource: API, scope: 'openid read' })
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  expect(await server.introspect(await auth.getAccessToken())).toMatchObject({ aud: API, scope: 'read' })

  await auth.refresh()

  expect(await server.introspect(await auth.getAccessToken())).toMatchObject({ aud: API })
})

test('the metadata is requested once, however many calls need it at the same time', async () => {
  const { server, oauth } = await setUp()
  await Promise.all([oauth.authorizationUrl(), oauth.authorizationUrl(), oauth.authorizationUrl()])
  await oauth.authorizationUrl()
  expect(server.requests).toEqual(['GET /.well-known/openid-configuration'])
})

test('metadata that the app gives is not requested', async () => {
  const { server, oauth } = await setUp()
  const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json()
  const given = createOAuth({ issuer: server.url, server: metadata, clientId: APP, redirectUri: CALLBACK })
  server.requests.length = 0
  expect((await given.authorizationUrl()).origin).toBe(server.url)
  expect(server.requests).toEqual([])
  expect(oauth.isCallback).toBe(false)
})

test('of two clients with one callback page, each session takes its own answers, whichever is asked first', async () => {
  const transactions = memoryTransactions()
  const { server, oauth, auth, browse } = await setUp({}, { transactions })
  const other = createOAuth({ issuer: server.url, clientId: OTHER_APP, redirectUri: CALLBACK, transactions })
  const otherAuth = createAuth(other.ports)
  onTestFinished(() => otherAuth.dispose())
  const url = await browse(await oauth.authorizationUrl({ returnTo: '/reports' }))
  const isRefused = () =>
    expect(otherAuth.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'wrong_client' })

  await isRefused()
  expect(other.returnTo).toBeUndefined()
  await auth.signIn({ via: 'callback', url })
  await auth.refresh()

  expect(auth.session).toMatchObject({ subject: 'ada', claims: { aud: APP } })
  // It is no answer of the other one's session either, now that it is used.
  await otherAuth.signIn({ via: 'callback', url: await browse(await other.authorizationUrl()) })
  await isRefused()
  await otherAuth.refresh()
  expect(otherAuth.session).toMatchObject({ claims: { aud: OTHER_APP } })
  expect(server.problems).toEqual([])
})

test.each([
  ['by basic authentication', ClientSecretBasic],
  ['in the body', ClientSecretPost],
])(
  'a backend whose secret is wrong for a while, sent %s, keeps the sessions of its users',
  async (_, authenticate) => {
    let secret = SECRET
    const clientAuth: ClientAuth = (...request) => authenticate(secret)(...request)
    const { server, oauth, auth, browse } = await setUp({}, { clientId: BACKEND, clientAuth })
    await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })

    secret = 'the one before'
    await expect(auth.refresh()).rejects.toMatchObject({
      code: 'refresh_unavailable',
      reason: 'invalid_client',
    })
    expect(auth.session).toMatchObject({ subject: 'ada' })
    expect(new Set(server.problems)).toEqual(new Set(['invalid_client: invalid secret provided']))
    secret = SECRET
    await auth.refresh()

    expect(auth.session).toMatchObject({ subject: 'ada', generation: 2 })
  },
)

test('the answer of a sign-in is redeemed once, however often and at the same time it is used', async () => {
  const { server, oauth, auth, browse } = await setUp()
  const url = await browse(await oauth.authorizationUrl())

  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => auth.signIn({ via: 'callback', url })),
  )
  expect(results.map(({ status }) => status)).toEqual([...Array(4).fill('rejected'), 'fulfilled'])
  const again = await auth.signIn({ via: 'callback', url })

  expect(again).toBe(auth.session)
  expect([...server.codes.values()]).toEqual([1])
  await auth.refresh()
  expect(auth.session?.subject).toBe('ada')
  expect(server.problems).toEqual([])
})

test('an answer that was used says so if there is no session', async () => {
  const { server, oauth, auth, browse } = await setUp()
  const url = await browse(await oauth.authorizationUrl())
  await auth.signIn({ via: 'callback', url })
  await auth.signOut()

  await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({
    name: 'OAuthError',
    code: 'oauth_failed',
    reason: 'already_used',
  })
  expect([...server.codes.values()]).toEqual([1])
})

test('a sign-in that is replaced while its code is redeemed gives its tokens to the one that replaces it', async () => {
  const { server, oauth, auth, browse } = await setUp()
  const url = await browse(await oauth.authorizationUrl())
  const first = auth.signIn({ via: 'callback', url }).catch((error) => error)
  while (server.codes.size === 0) await new Promise((resolve) => setImmediate(resolve))

  const session = await auth.signIn({ via: 'callback', url })

  expect(await first).toMatchObject({ code: 'signed_out', reason: 'superseded' })
  expect(session.subject).toBe('ada')
  await auth.refresh()
  expect(server.problems).toEqual([])
  expect(server.requests).not.toContain(post('/token/revocation'))
})

test('a user who denies the sign-in is reported with the code of the server', async () => {
  const { oauth, auth, browse } = await setUp()
  const url = await browse(await oauth.authorizationUrl({ loginHint: 'nobody' }))
  await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'access_denied' })
  expect(auth.state).toBe('anonymous')
})

test('max_age is sent and checked against the ID token', async () => {
  const { oauth, auth, browse } = await setUp()
  const start = await oauth.authorizationUrl({ maxAge: 60, acrValues: 'mfa' })
  expect(start.searchParams.get('max_age')).toBe('60')
  const session = await auth.signIn({ via: 'callback', url: await browse(start) })
  expect(session.claims).toMatchObject({ auth_time: expect.any(Number) })
})

test('a failed discovery within a refresh is attempted again, and the session is kept', async () => {
  const { server, oauth, browse } = await setUp()
  let isDown = true
  const failing: typeof fetch = async (input, init) => {
    if (isDown && String(input).includes('well-known')) throw new TypeError('fetch failed')
    return fetch(input, init)
  }
  const other = createOAuth({ issuer: server.url, clientId: APP, fetch: failing })
  const first = createAuth(oauth.ports)
  onTestFinished(() => first.dispose())
  let refreshToken: string | undefined
  const keeping = createAuth({
    ...oauth.ports,
    refresh: (request: RefreshRequest) => {
      refreshToken = request.refreshToken
      return { access_token: 'a' }
    },
  })
  onTestFinished(() => keeping.dispose())
  await keeping.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  await keeping.refresh()
  const auth = createAuth({
    ...other.ports,
    ambiguousRefresh: 'expire',
    retry: { minDelay: 1, maxDelay: 5 },
    initialTokens: { access_token: 'old', refresh_token: refreshToken! },
  })
  onTestFinished(() => auth.dispose())
  const failed = new Promise((resolve) => auth.on('refreshFailed', resolve))
  const refreshed = auth.refresh()

  expect(await failed).toMatchObject({ fatal: false })
  isDown = false
  await refreshed

  expect(auth.state).toBe('authenticated')
  expect(server.problems).toEqual([])
})
