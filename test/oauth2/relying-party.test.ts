import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { createOAuth, memoryTransactions } from '../../src/oauth2/index.ts'
import { connect, type Faults, startIssuer } from './issuer.ts'

const without =
  (name: string) =>
  ({ [name]: _, ...rest }: Record<string, unknown>) =>
    rest
const withClaim = (name: string, value: unknown) => (claims: Record<string, unknown>) => ({
  ...claims,
  [name]: value,
})
const HOUR = 3_600
const now = () => Math.floor(Date.now() / 1_000)

/** Signs in at an issuer that makes a mistake. Returns the error. */
async function failure(faults: Faults, changes?: Record<string, string | undefined>, maxAge?: number) {
  const issuer = await startIssuer()
  issuer.misbehave(faults)
  const { oauth, auth } = await connect(issuer)
  const start = await oauth.authorizationUrl(maxAge === undefined ? {} : { maxAge })
  const error = await auth.signIn({ via: 'callback', url: issuer.answer(start, changes) }).then(
    () => undefined,
    (error) => error,
  )
  return { error, issuer, auth }
}

describe('a sign-in with a correct server', () => {
  test('succeeds', async () => {
    const { error, auth, issuer } = await failure({})
    expect(error).toBeUndefined()
    expect(auth.session).toMatchObject({ subject: 'ada' })
    expect(Object.fromEntries(issuer.tokenRequests()[0]!.body)).toMatchObject({
      grant_type: 'authorization_code',
      code: 'the-code',
      client_id: 'app',
      redirect_uri: 'https://app.example.com/callback',
      code_verifier: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  test.each([
    ['with several audiences and itself as the authorized party', { aud: ['app', 'other'], azp: 'app' }],
    ['whose clock is two minutes ahead', { iat: now() + 120, exp: now() + HOUR }],
    ['whose token expired two minutes ago by the clock of this machine', { exp: now() - 120 }],
    ['whose clock is ten minutes behind', { iat: now() - 600, exp: now() - 600 + 60 }],
    ['whose clock is ten minutes ahead', { iat: now() + 600, exp: now() + 660 }],
  ])('succeeds %s', async (_, changes) => {
    const { error } = await failure({ claims: (claims) => ({ ...claims, ...changes }) })
    expect(error).toBeUndefined()
  })
})

describe('an ID token is refused that', () => {
  const WRONG: readonly (readonly [title: string, reason: string, faults: Faults])[] = [
    ['is missing', 'invalid_response', { response: without('id_token') }],
    ['has another issuer', 'invalid_id_token', { claims: withClaim('iss', 'https://evil.example.com') }],
    ['has no issuer', 'invalid_response', { claims: without('iss') }],
    ['is for another client', 'invalid_id_token', { claims: withClaim('aud', 'other') }],
    [
      'is for several clients, without this one',
      'invalid_id_token',
      { claims: withClaim('aud', ['a', 'b']) },
    ],
    ['has no audience', 'invalid_response', { claims: without('aud') }],
    [
      'is for several clients, with another authorized party',
      'invalid_id_token',
      { claims: (claims) => ({ ...claims, aud: ['app', 'other'], azp: 'other' }) },
    ],
    ['has no subject', 'invalid_response', { claims: without('sub') }],
    ['has another nonce', 'invalid_id_token', { claims: withClaim('nonce', 'replayed') }],
    ['has no nonce', 'invalid_response', { claims: without('nonce') }],
    ['expired an hour ago', 'id_token_expired', { claims: withClaim('exp', now() - HOUR) }],
    ['has no expiry', 'invalid_response', { claims: without('exp') }],
    ['has no time of issue', 'invalid_response', { claims: without('iat') }],
    [
      'is signed with an algorithm that the server does not name',
      'invalid_response',
      { header: { alg: 'HS256' } },
    ],
    ['is not signed', 'invalid_response', { header: { alg: 'none' } }],
    ['is no JWT', 'invalid_response', { response: (correct) => ({ ...correct, id_token: 'no.jwt' }) }],
  ]

  test.each(WRONG)('%s', async (_, reason, faults) => {
    const { error, auth } = await failure(faults)
    expect(error).toMatchObject({ name: 'OAuthError', code: 'oauth_failed', reason })
    expect(auth.session).toBeUndefined()
    expect(auth.state).toBe('anonymous')
  })

  test('is accepted if the user authenticated just now, and the clock is ten minutes ahead', async () => {
    const { error } = await failure({ claims: withClaim('auth_time', now() - 610) }, {}, 0)
    expect(error).toBeUndefined()
  })

  test('is older than max_age allows', async () => {
    const { error } = await failure({ claims: withClaim('auth_time', now() - HOUR) }, {}, 60)
    expect(error).toMatchObject({ reason: 'id_token_expired' })
  })

  test('does not say when the user authenticated, although max_age asks for it', async () => {
    const { error } = await failure({}, {}, 60)
    expect(error).toMatchObject({ reason: 'invalid_response' })
  })
})

describe('the code of an answer is not sent to any server if', () => {
  const ANSWERS: readonly (readonly [
    title: string,
    reason: string,
    changes: Record<string, string | undefined>,
  ])[] = [
    ['its state is missing', 'unknown_state', { state: undefined }],
    ['its state is of another browser', 'unknown_state', { state: 'a'.repeat(43) }],
    ['its state is not one of this library', 'unknown_state', { state: '__proto__' }],
    ['its issuer is another one', 'wrong_issuer', { iss: 'https://evil.example.com' }],
    ['its issuer is missing, although the server always sends it', 'wrong_issuer', { iss: undefined }],
    ['it is an error', 'access_denied', { error: 'access_denied', code: undefined }],
    [
      'it is an error in words that are no code',
      'invalid_response',
      { error: 'a secret text', code: undefined },
    ],
    ['it has no code', 'invalid_response', { code: undefined }],
    ['it holds an answer of JARM', 'invalid_response', { response: 'a.b.c' }],
    ['it holds an ID token', 'invalid_response', { id_token: 'a.b.c' }],
    [
      'its code is huge, but its issuer is another one',
      'wrong_issuer',
      { code: 'x'.repeat(1e6), iss: 'https://e' },
    ],
  ]

  test.each(['code', 'state', 'iss', 'error'])('it has %s twice', async (name) => {
    for (const metadata of [{}, { authorization_response_iss_parameter_supported: false }]) {
      const issuer = await startIssuer()
      issuer.misbehave({ metadata })
      const { oauth, auth } = await connect(issuer)
      const url = issuer.answer(await oauth.authorizationUrl())
      if (name === 'error') url.searchParams.append(name, 'access_denied')
      url.searchParams.append(name, url.searchParams.get(name) ?? '')
      await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({
        reason: 'invalid_response',
      })
      expect(issuer.tokenRequests()).toEqual([])
    }
  })

  test.each(ANSWERS)('%s', async (_, reason, changes) => {
    const { error, issuer } = await failure({}, changes)
    expect(error).toMatchObject({ code: 'oauth_failed', reason })
    expect(issuer.tokenRequests()).toEqual([])
  })

  test('the sign-in was sent to an issuer that the page no longer uses', async () => {
    const [honest, evil] = [await startIssuer(), await startIssuer()]
    const transactions = memoryTransactions()
    const { oauth } = await connect(evil, { transactions })
    const { auth } = await connect(honest, { transactions })
    const url = evil.answer(await oauth.authorizationUrl())

    await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'wrong_issuer' })

    expect([...honest.tokenRequests(), ...evil.tokenRequests()]).toEqual([])
  })

  test('ten minutes have passed', async () => {
    const issuer = await startIssuer()
    let time = Date.now()
    const clock = { now: () => time, setTimeout: () => 0, clearTimeout: () => {} }
    const { oauth, auth } = await connect(issuer, { clock })
    const url = issuer.answer(await oauth.authorizationUrl())
    time += 600_000
    await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'unknown_state' })
    expect(issuer.tokenRequests()).toEqual([])
  })
})

test('of two servers with one callback page, each session takes its own answers, whichever is asked first', async () => {
  const [first, second] = [await startIssuer(), await startIssuer()]
  const transactions = memoryTransactions()
  const { auth: other } = await connect(second, { transactions })
  const { oauth, auth } = await connect(first, { transactions })
  const url = first.answer(await oauth.authorizationUrl())

  await expect(other.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'wrong_issuer' })
  await auth.signIn({ via: 'callback', url })

  expect(auth.session?.claims).toMatchObject({ iss: first.url })
  expect(second.tokenRequests()).toEqual([])
})

test.each(['form_post', 'fragment', 'jwt'])(
  'an answer by %s is refused before the user is sent away',
  async (mode) => {
    const { oauth, auth } = await connect(await startIssuer())
    const extra = { response_mode: mode }
    const inWords = new TypeError(
      `extra.response_mode must not be '${mode}': the answer is read from the query of the redirect URI.`,
    )
    await expect(oauth.authorizationUrl({ extra })).rejects.toEqual(inWords)
    await expect(auth.signIn({ via: 'redirect', extra })).rejects.toEqual(inWords)
    const { searchParams } = await oauth.authorizationUrl({ extra: { response_mode: 'query' } })
    expect(searchParams.get('response_mode')).toBe('query')
  },
)

test('the code goes to the token endpoint of the time when the sign-in began', async () => {
  const issuer = await startIssuer()
  const transactions = memoryTransactions()
  const { oauth } = await connect(issuer, { transactions })
  const start = await oauth.authorizationUrl()
  issuer.misbehave({ metadata: { token_endpoint: 'https://evil.example.com/token' } })
  const { auth } = await connect(issuer, { transactions, redirectUri: 'https://app.example.com/other' })

  await auth.signIn({ via: 'callback', url: issuer.answer(start) })

  expect(issuer.tokenRequests()[0]?.body.get('redirect_uri')).toBe('https://app.example.com/callback')
})

describe('discovery', () => {
  const METADATA: readonly (readonly [title: string, faults: Faults])[] = [
    ['of another issuer', { metadata: { issuer: 'https://evil.example.com' } }],
    ['without an issuer', { metadata: { issuer: undefined } }],
    ['that is not JSON', { discovery: [200, '<html>'] }],
    ['that is refused', { discovery: [401, '{}'] }],
    ['of a server that is down', { discovery: [503, '{}'] }],
  ]

  test.each(METADATA)('refuses metadata %s, and is attempted again at the next call', async (_, faults) => {
    const issuer = await startIssuer()
    issuer.misbehave(faults)
    const { oauth } = await connect(issuer)
    await expect(oauth.authorizationUrl()).rejects.toMatchObject({ reason: 'discovery_failed' })
    issuer.misbehave({})
    await expect(oauth.authorizationUrl()).resolves.toBeInstanceOf(URL)
  })

  test.each([
    [404, ''],
    [401, ''],
    [302, ''],
    [200, '<!doctype html>'],
  ])(
    'finds a server that has only the metadata of RFC 8414, and answers %s elsewhere',
    async (...oauthOnly) => {
      const issuer = await startIssuer()
      issuer.misbehave({ oauthOnly })
      const { oauth } = await connect(issuer)
      await expect(oauth.authorizationUrl()).resolves.toBeInstanceOf(URL)
    },
  )

  test.each([
    ['an issuer', 'http://id.example.com', {}],
    ['an authorization endpoint', undefined, { authorization_endpoint: 'http://id.example.com/authorize' }],
    [
      'an authorization endpoint that is a script',
      undefined,
      { authorization_endpoint: 'javascript:alert(1)' },
    ],
  ])('plain http is refused for %s on another machine', async (_, url, metadata) => {
    const issuer = await startIssuer()
    issuer.misbehave({ metadata })
    const { oauth } = await connect(issuer, url ? { issuer: url } : {})
    await expect(oauth.authorizationUrl()).rejects.toMatchObject({ reason: 'insecure' })
  })

  test('plain http with another machine is allowed by allowInsecure', async () => {
    const issuer = await startIssuer()
    issuer.misbehave({ metadata: { authorization_endpoint: 'http://id.example.com/authorize' } })
    const { oauth } = await connect(issuer, { allowInsecure: true })
    expect((await oauth.authorizationUrl()).host).toBe('id.example.com')
  })
})

describe('the ID token of a refresh', () => {
  /** Signs in, lets the server make a mistake, and refreshes. */
  async function refreshWith(faults: Faults) {
    const issuer = await startIssuer()
    const { oauth, auth } = await connect(issuer)
    await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
    issuer.misbehave(faults)
    const refreshed = await auth.refresh().then(
      () => 'refreshed',
      (error) => error,
    )
    return { refreshed, auth, issuer }
  }

  test.each<[string, (claims: Record<string, unknown>) => Record<string, unknown>, object?]>([
    ['of another user', withClaim('sub', 'eve')],
    ['of another issuer', withClaim('iss', 'https://evil.example.com')],
    ['for another client', withClaim('aud', 'other')],
    ['of another user, and cannot be checked', withClaim('sub', 'eve'), { alg: 'none' }],
    ['of another issuer, and cannot be checked', withClaim('iss', 'https://e'), { alg: 'none' }],
  ])('ends the session if it is %s', async (_, claims, header = {}) => {
    const { auth } = await refreshWith({ claims, header: header as Record<string, unknown> })
    expect(auth.session?.subject).not.toBe('eve')
    expect(await auth.getAccessToken().catch(() => 'none')).not.toMatch(/^access-\d/)
    expect(auth.history.find(({ type }) => type === 'refreshFailed')).toMatchObject({
      fatal: true,
      reason: 'invalid_token',
    })
  })

  /** Signs in, and refreshes with an ID token that has changed claims. */
  async function refreshWithClaims(changes: Record<string, unknown>, atSignIn: Record<string, unknown> = {}) {
    const issuer = await startIssuer()
    const { oauth, auth } = await connect(issuer)
    const start = await oauth.authorizationUrl()
    const first = {
      iat: now(),
      auth_time: now() - HOUR,
      nonce: start.searchParams.get('nonce'),
      ...atSignIn,
    }
    issuer.misbehave({ claims: (claims) => ({ ...claims, ...first }) })
    await auth.signIn({ via: 'callback', url: issuer.answer(start) })
    issuer.misbehave({ claims: (claims) => ({ ...claims, ...first, ...changes, roles: ['new'] }) })
    await auth.refresh()
    return { auth, first }
  }

  test.each([
    ['another nonce', { nonce: 'of another sign-in' }, {}],
    ['a later time of authentication', { auth_time: now() }, {}],
    ['an earlier time of authentication', { auth_time: 0 }, {}],
    ['a time of authentication, and the one before has none', { auth_time: 0 }, { auth_time: undefined }],
    ['an earlier time of issue', { iat: now() - 60 }, {}],
  ])('is not taken with %s, and the session keeps the one before', async (_, changes, atSignIn) => {
    const { auth, first } = await refreshWithClaims(changes, atSignIn)
    expect(await auth.getAccessToken()).toBe('access-1')
    expect(auth.session?.claims).toMatchObject(JSON.parse(JSON.stringify(first)))
    expect(auth.session?.claims).not.toHaveProperty('roles')
  })

  test.each([
    ['with the nonce and the times of the one before', {}],
    ['without a nonce', { nonce: undefined }],
    ['without a time of authentication', { auth_time: undefined }],
    ['with a later time of issue', { iat: now() + 60 }],
  ])('is taken %s', async (_, changes) => {
    const { auth } = await refreshWithClaims(changes)
    expect(auth.session?.claims).toMatchObject({ sub: 'ada', roles: ['new'] })
  })

  test.each([
    ['is missing', { response: without('id_token') }],
    ['has no nonce', {}],
    ['has expired by the clock of this machine', { claims: withClaim('exp', now() - 10 * HOUR) }],
  ])('keeps the session if it %s', async (_, faults) => {
    const { refreshed, auth } = await refreshWith(faults)
    expect(refreshed).toBe('refreshed')
    expect(auth.session?.subject).toBe('ada')
  })
})

test('errors of a sign-in and their causes quote neither code, state, nonce, verifier nor token', async () => {
  const secrets: string[] = []
  const found: string[] = []
  const dump = (value: unknown, depth = 0): string =>
    depth > 5 || typeof value !== 'object' || value === null
      ? String(value)
      : Reflect.ownKeys(value)
          .map((key) => `${String(key)}=${dump(Reflect.get(value, key), depth + 1)}`)
          .join(';')
  const cases: (readonly [Faults, Record<string, string | undefined>])[] = [
    [{ claims: withClaim('nonce', 'replayed') }, {}],
    [{ response: without('id_token') }, {}],
    [{ response: () => ({ error: 'invalid_grant', error_description: 'the-code was used' }) }, {}],
    [{ response: (correct) => ({ ...correct, token_type: 'mac' }) }, {}],
    [{}, { iss: 'https://evil.example.com' }],
    [{}, { error: 'access_denied' }],
  ]
  for (const [faults, changes] of cases) {
    const { error, issuer, auth } = await failure(faults, changes)
    const [sent] = issuer.tokenRequests()
    secrets.push(
      'the-code',
      'access-first',
      'refresh-0',
      ...(sent ? [sent.body.get('code_verifier') ?? ''] : []),
    )
    found.push(dump(error), dump(auth.history), JSON.stringify(auth.actor.getSnapshot()))
  }
  for (const secret of secrets.filter(Boolean)) expect(found.join()).not.toContain(secret)
  expect(found.join()).not.toMatch(/[\w-]{43}/)
})

test('a sign-in without the scope openid sends no nonce and needs no ID token', async () => {
  const issuer = await startIssuer()
  const oauth = createOAuth({
    issuer: issuer.url,
    clientId: 'app',
    scope: 'read',
    redirectUri: 'https://app.example.com/callback',
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  const start = await oauth.authorizationUrl()
  expect(start.searchParams.has('nonce')).toBe(false)
  issuer.misbehave({ response: without('id_token') })
  await auth.signIn({ via: 'callback', url: issuer.answer(start) })
  expect(auth.state).toBe('authenticated')
})
