import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/environment/clock.ts'
import { createAuth, type RefreshRequest } from '../../src/index.ts'
import { createOAuth, memoryTransactions } from '../../src/oauth2/index.ts'
import { connect, startIssuer, type TestIssuer } from './issuer.ts'
import { APP, CALLBACK, createBrowser, startProvider } from './provider.ts'

type Fields = Record<string, unknown>

/** A session at a real provider that ends the grant if a refresh token is presented twice. `spoil` changes what the refreshes answer. */
async function setUp(spoil: (correct: Fields) => Fields) {
  const server = await startProvider()
  let isSpoiled = false
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
    async fetch(url, init) {
      const answer = await fetch(url, init)
      if (!isSpoiled || !String(url).endsWith('/token')) return answer
      return Response.json(spoil((await answer.json()) as Fields))
    },
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  await auth.signIn({ via: 'callback', url: await createBrowser()(await oauth.authorizationUrl()) })
  const signInToken = await auth.getAccessToken()
  return {
    server,
    auth,
    signInToken,
    spoil: (value: boolean) => {
      isSpoiled = value
    },
  }
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Changes header and claims of a JWT. */
function changed(token: unknown, header: Fields, claims: Fields = {}) {
  const parts = String(token).split('.')
  const [before, payload] = parts
    .slice(0, 2)
    .map((part) => JSON.parse(String(Buffer.from(part, 'base64url'))))
  return `${base64({ ...before, ...header })}.${base64({ ...payload, ...claims })}.${parts[2]}`
}

const withIdToken = (change: (token: unknown) => unknown) => (correct: Fields) => ({
  ...correct,
  id_token: change(correct.id_token),
})

test.each<[string, (correct: Fields) => Fields]>([
  [
    'an ID token of an algorithm that the metadata does not name',
    withIdToken((token) => changed(token, { alg: 'ES999' })),
  ],
  ['an ID token that is not signed', withIdToken((token) => changed(token, { alg: 'none' }))],
  ['an ID token without an expiry', withIdToken((token) => changed(token, {}, { exp: null }))],
  ['an ID token without a subject', withIdToken((token) => changed(token, {}, { sub: undefined }))],
  ['an encrypted ID token', withIdToken(() => 'a.b.c.d.e')],
  ['an ID token that is no JWT', withIdToken(() => 'none')],
  ['an ID token that is null', withIdToken(() => null)],
  ['a list of scopes', (correct) => ({ ...correct, scope: ['openid'] })],
])('a session goes on with the rotated refresh token of an answer with %s', async (_, spoil) => {
  const made = await setUp(spoil)
  const { auth, server, signInToken } = made
  const before = auth.session?.claims
  made.spoil(true)
  await auth.refresh()
  const token = await auth.getAccessToken()
  expect(token).not.toBe(signInToken)
  expect(await server.introspect(token)).toMatchObject({ accountId: 'ada' })
  expect(auth.session?.claims).toEqual(before)

  made.spoil(false)
  await auth.refresh()

  expect(auth.session).toMatchObject({ subject: 'ada', generation: 3 })
  expect(server.problems).toEqual([])
})

/** What servers answer instead of a lifetime, with what it means, in seconds from now. */
const LIFETIMES: readonly (readonly [string, unknown, number | undefined])[] = [
  ['is missing', undefined, undefined],
  ['is null', null, undefined],
  ['is negative', -1, undefined],
  ['is 0', 0, undefined],
  ['is in words', 'an hour', undefined],
  ['is too long for a date', 1e30, undefined],
  ['is a text', '3600', 3_600],
]

test.each(LIFETIMES)(
  'a sign-in and a refresh take an answer whose lifetime %s',
  async (_, lifetime, meant) => {
    const issuer = await startIssuer()
    const { oauth, auth } = await connect(issuer)
    issuer.misbehave({ response: (correct) => ({ ...correct, expires_in: lifetime }) })
    const expectLifetime = () => {
      const { expiresAt } = auth.session ?? {}
      expect(expiresAt && Math.round((expiresAt - Date.now()) / 10_000) * 10).toBe(meant)
    }

    await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
    expectLifetime()
    issuer.misbehave({
      response: (correct) => ({ ...correct, expires_in: lifetime }),
      claims: (correct) => ({ ...correct, roles: ['new'] }),
    })
    await auth.refresh()
    expectLifetime()

    expect(auth.session).toMatchObject({ generation: 2, claims: { roles: ['new'] } })
    expect(metadataRequestsOf(issuer)).toBe(1)
  },
)

test('a sign-in takes an answer in which what is missing is null', async () => {
  const issuer = await startIssuer()
  const { oauth, auth } = await connect(issuer)
  issuer.misbehave({ response: (correct) => ({ ...correct, refresh_token: null, scope: null }) })
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  expect(auth.session).toMatchObject({ subject: 'ada', scope: 'openid' })
})

test('tokens that come with the ID token of another user are revoked', async () => {
  let tokens: Fields = {}
  const made = await setUp((correct) => {
    tokens = correct
    return { ...correct, id_token: changed(correct.id_token, {}, { sub: 'eve' }) }
  })
  const { auth, server } = made
  made.spoil(true)

  await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired' })

  await vi.waitUntil(() => server.requests.includes('POST /token/revocation'))
  await vi.waitUntil(async () => !(await server.introspect(String(tokens.access_token))))
  expect(await server.provider.RefreshToken.find(String(tokens.refresh_token))).toBeUndefined()
})

const MINUTE = 60_000

/** The clock of the system, which the test can set forward. */
function passing() {
  let passed = 0
  return {
    clock: { ...systemClock, now: () => Date.now() + passed },
    pass(time: number) {
      passed += time
    },
  }
}

test.each<[string, () => Response | Promise<Response>]>([
  ['404', () => new Response('<html>', { status: 404, headers: { 'content-type': 'text/html' } })],
  ['410', () => Response.json({ error: 'gone' }, { status: 410 })],
  ['a redirect', () => Response.redirect('https://new.example.com/token', 308)],
  ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
  ['no answer', () => Promise.reject(new TypeError('fetch failed'))],
])('a session goes on at the new token endpoint if the old one has %s', async (_, old) => {
  const issuer = await startIssuer()
  let hasMoved = false
  const { clock, pass } = passing()
  const { oauth, auth } = await connect(issuer, {
    clock,
    async fetch(url, init) {
      const place = String(url)
      if (hasMoved && place === `${issuer.url}/token`) return old()
      return fetch(place.replace('/new-token', '/token'), init)
    },
  })
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  hasMoved = true
  pass(MINUTE)
  issuer.misbehave({ metadata: { token_endpoint: `${issuer.url}/new-token` } })

  await auth.refresh()

  expect(auth.session).toMatchObject({ subject: 'ada', generation: 2 })
  expect(metadataRequestsOf(issuer)).toBe(2)
})

const metadataRequestsOf = ({ requests }: TestIssuer) =>
  requests.filter(({ path }) => path.includes('.well-known')).length

test('a provider that signs with another algorithm than before is understood from the second answer on', async () => {
  const issuer = await startIssuer()
  const { clock, pass } = passing()
  const { oauth, auth } = await connect(issuer, { clock })
  const signIn = async () =>
    auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  const metadataRequests = () => metadataRequestsOf(issuer)
  await signIn()
  const renewed = { header: { alg: 'EdDSA' }, metadata: { id_token_signing_alg_values_supported: ['EdDSA'] } }
  const claims = (correct: Fields) => ({ ...correct, roles: ['new'] })

  pass(MINUTE)
  issuer.misbehave({ ...renewed, claims })
  await auth.refresh()
  expect(auth.session?.claims).not.toHaveProperty('roles')
  await vi.waitUntil(() => metadataRequests() === 2)
  await auth.refresh()
  expect(auth.session?.claims).toMatchObject({ roles: ['new'] })
  await auth.signOut()

  const start = await oauth.authorizationUrl()
  pass(MINUTE)
  issuer.misbehave({
    header: { alg: 'PS256' },
    metadata: { id_token_signing_alg_values_supported: ['PS256'] },
  })
  const answer = issuer.answer(start)
  await expect(auth.signIn({ via: 'callback', url: answer })).rejects.toMatchObject({
    reason: 'invalid_response',
  })
  await vi.waitUntil(() => metadataRequests() === 3)
  await signIn()
  expect(auth.session).toMatchObject({ subject: 'ada' })
})

test('metadata that cannot be read again stays as it was', async () => {
  const issuer = await startIssuer()
  const { oauth, auth } = await connect(issuer)
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  issuer.misbehave({ header: { alg: 'EdDSA' }, discovery: [503, '{}'] })
  await auth.refresh()
  await auth.refresh()
  expect(auth.session).toMatchObject({ subject: 'ada', generation: 3 })
})

test('a provider whose ID tokens never fit is asked for its metadata once a minute at most', async () => {
  const issuer = await startIssuer()
  const { clock, pass } = passing()
  const { oauth, auth } = await connect(issuer, { clock })
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  pass(MINUTE)
  issuer.misbehave({ header: { alg: 'EdDSA' } })

  for (let round = 0; round < 3; round++) await auth.refresh()
  await vi.waitUntil(() => metadataRequestsOf(issuer) === 2)
  pass(MINUTE)
  await auth.refresh()
  await vi.waitUntil(() => metadataRequestsOf(issuer) === 3)
  await auth.refresh()

  expect(metadataRequestsOf(issuer)).toBe(3)
})

test('parallel refreshes that are refused as too many cause no other request', async () => {
  const issuer = await startIssuer()
  let isBusy = false
  const { clock, pass } = passing()
  const { oauth } = await connect(issuer, {
    clock,
    fetch: async (url, init) =>
      isBusy && String(url).endsWith('/token')
        ? new Response('<html>', { status: 429, headers: { 'content-type': 'text/html' } })
        : fetch(url, init),
  })
  await oauth.authorizationUrl()
  pass(MINUTE)
  isBusy = true
  const refresh = async () =>
    oauth.ports.refresh({ refreshToken: 'one', signal: new AbortController().signal } as RefreshRequest)

  const answers = await Promise.allSettled(Array.from({ length: 50 }, refresh))
  isBusy = false
  // A request made now comes after those.
  await refresh()

  expect(answers.map(({ status }) => status)).toEqual(Array(50).fill('rejected'))
  expect(metadataRequestsOf(issuer)).toBe(1)
})

test.each<[string, () => Response]>([
  ['nothing', () => new Response(null, { status: 204 })],
  [
    'a cut text',
    () => new Response('{"access_token":"a', { headers: { 'content-type': 'application/json' } }),
  ],
  ['a list', () => Response.json([])],
])('an answer that is %s is judged as the server sent it', async (_, make) => {
  const { oauth } = await connect(await startIssuer(), {
    fetch: (url, init) => (String(url).endsWith('/token') ? Promise.resolve(make()) : fetch(url, init)),
  })
  const refresh = async () =>
    oauth.ports.refresh({ refreshToken: 'one', signal: new AbortController().signal } as RefreshRequest)
  const error = await refresh().catch((thrown) => thrown)
  expect(error).toMatchObject({ code: expect.stringMatching(/^OAUTH_/) })
})
