import { expect, onTestFinished, test, vi } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { createOAuth, memoryTransactions, type TransactionStore } from '../../src/oauth2/index.ts'
import { connect, startIssuer } from './issuer.ts'

const setUp = async () => {
  const issuer = await startIssuer()
  const store = memoryTransactions()
  let time = Date.now()
  const clock = { now: () => time, setTimeout: () => 0, clearTimeout: () => {} }
  const { oauth, auth } = await connect(issuer, { transactions: store, clock })
  const pass = (ms: number) => {
    time += ms
  }
  const keys = async () => [...(await store.keys())]
  return { issuer, store, oauth, auth, keys, pass }
}

test('each sign-in has an entry of its own, so that any of them can be completed', async () => {
  const { issuer, oauth, auth, keys } = await setUp()
  const starts = []
  for (let index = 0; index < 8; index++) starts.push(await oauth.authorizationUrl({ returnTo: `/${index}` }))
  expect(await keys()).toHaveLength(8)
  for (const [index, start] of [...starts.entries()].reverse()) {
    await auth.signIn({ via: 'callback', url: issuer.answer(start) })
    expect(oauth.returnTo).toBe(`/${index}`)
  }
})

test('an entry names the server and the client that the answer is redeemed with', async () => {
  const { issuer, store, oauth, auth } = await setUp()
  const start = await oauth.authorizationUrl({ returnTo: '//evil.example.com' })
  const entry = JSON.parse(String(await store.read(`authchart.oauth2.${start.searchParams.get('state')}`)))
  expect(entry).toEqual({
    startedAt: expect.any(Number),
    server: {
      issuer: issuer.url,
      token_endpoint: `${issuer.url}/token`,
      authorization_response_iss_parameter_supported: true,
      id_token_signing_alg_values_supported: ['ES256'],
    },
    clientId: 'app',
    redirectUri: 'https://app.example.com/callback',
    verifier: expect.stringMatching(/^[\w-]{43}$/),
    scope: 'openid',
    nonce: start.searchParams.get('nonce'),
    returnTo: '//evil.example.com',
  })
  await auth.signIn({ via: 'callback', url: issuer.answer(start) })
  expect(oauth.returnTo).toBe('/')
})

test('the session has the scope that was asked for, if the answer names none', async () => {
  const { issuer, oauth, auth } = await setUp()
  const ask = async () => issuer.answer(await oauth.authorizationUrl({ scope: 'openid read write' }))
  expect((await auth.signIn({ via: 'callback', url: await ask() })).scope).toBe('openid read write')
  issuer.misbehave({ response: (correct) => ({ ...correct, scope: 'openid read' }) })
  expect((await auth.signIn({ via: 'callback', url: await ask() })).scope).toBe('openid read')
})

test('an entry whose answer was used keeps no secret', async () => {
  const { issuer, store, oauth, auth, keys } = await setUp()
  await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  const [key = ''] = await keys()
  expect(JSON.parse(String(await store.read(key)))).toEqual({
    startedAt: expect.any(Number),
    server: expect.objectContaining({ issuer: issuer.url }),
    clientId: 'app',
    used: true,
  })
})

test('at most twenty entries are kept, and a sign-in removes those that have expired', async () => {
  const { oauth, keys, pass } = await setUp()
  const states: string[] = []
  for (let index = 0; index < 25; index++) {
    states.push((await oauth.authorizationUrl()).searchParams.get('state') ?? '')
    pass(1)
  }
  expect((await keys()).map((key) => key.replace('authchart.oauth2.', ''))).toEqual(states.slice(5))
  pass(600_000)
  await oauth.authorizationUrl()
  expect(await keys()).toHaveLength(1)
})

test('a sign-in that waits for its answer outlives those of other tabs that are complete', async () => {
  const { issuer, oauth, auth, keys, pass } = await setUp()
  const slow = await oauth.authorizationUrl({ returnTo: '/slow' })
  for (let index = 0; index < 25; index++) {
    pass(1)
    await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
  }
  expect(await keys()).toHaveLength(20)

  await auth.signIn({ via: 'callback', url: issuer.answer(slow) })

  expect(oauth.returnTo).toBe('/slow')
})

test('a sign-in returns to a page that keeps all of its state in its address', async () => {
  const { issuer, oauth, auth } = await setUp()
  const returnTo = `/#${'x'.repeat(100_000)}`
  const start = await oauth.authorizationUrl({ returnTo })
  await auth.signIn({ via: 'callback', url: issuer.answer(start) })
  expect(oauth.returnTo).toBe(returnTo)
})

test('entries that cannot be read are removed, and other keys of the store are left alone', async () => {
  const { oauth, store, keys } = await setUp()
  const BROKEN = [
    '',
    '{',
    'null',
    '[]',
    '{"startedAt":"x"}',
    JSON.stringify({ startedAt: Date.now() }),
    `"${'x'.repeat(200_000)}"`,
  ]
  for (const [index, text] of BROKEN.entries())
    store.write(`authchart.oauth2.${'a'.repeat(40)}${index}`, text)
  store.write('theme', 'dark')
  await oauth.authorizationUrl()
  expect(await keys()).toEqual(['theme', expect.stringMatching(/^authchart\.oauth2\./)])
})

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new DOMException('', 'QuotaExceededError')
    },
  ],
  ['rejects', () => Promise.reject(new DOMException('', 'QuotaExceededError'))],
])('a sign-in whose entry cannot be stored says so if the store %s', async (_, write) => {
  const transactions = memoryTransactions()
  const { oauth } = await connect(await startIssuer(), { transactions: { ...transactions, write } })
  await expect(oauth.authorizationUrl()).rejects.toMatchObject({
    code: 'oauth_failed',
    reason: 'storage_failed',
    cause: { name: 'QuotaExceededError' },
  })
})

test('an answer whose entry cannot be read says so', async () => {
  const { issuer, oauth, auth, store } = await setUp()
  const url = issuer.answer(await oauth.authorizationUrl())
  const read = () => {
    throw new DOMException('', 'SecurityError')
  }
  await expect(auth.signIn({ via: 'callback', url, transactions: { ...store, read } })).rejects.toMatchObject(
    { reason: 'storage_failed' },
  )
})

test.each(['{', 'null', '{"startedAt":1e99}', '{"startedAt":0,"used":true}'])(
  'an answer whose entry was changed to %s is refused',
  async (text) => {
    const { issuer, oauth, auth, store } = await setUp()
    const start = await oauth.authorizationUrl()
    store.write(`authchart.oauth2.${start.searchParams.get('state')}`, text)
    await expect(auth.signIn({ via: 'callback', url: issuer.answer(start) })).rejects.toMatchObject({
      reason: 'unknown_state',
    })
    expect(issuer.tokenRequests()).toEqual([])
  },
)

test('an answer that is being redeemed gives its tokens to the store that holds its sign-in, and to no other one', async () => {
  const { issuer, oauth } = await setUp()
  const [own, foreign] = [memoryTransactions(), memoryTransactions()]
  const url = issuer.answer(await oauth.authorizationUrl({ transactions: own }))
  const { signal } = new AbortController()
  const signIn = (transactions: TransactionStore) =>
    Promise.resolve(
      oauth.ports.signIn({ via: 'callback', url, transactions }, { signal, cancelled: signal } as never),
    )

  const results = await Promise.allSettled([signIn(own), signIn(foreign), signIn(own)])

  expect(results).toMatchObject([
    { status: 'rejected', reason: { reason: 'superseded' } },
    { status: 'rejected', reason: { reason: 'unknown_state' } },
    { status: 'fulfilled', value: { access_token: expect.any(String) } },
  ])
})

test('two clients of a server share no sign-ins, also where the runtime has a localStorage', async () => {
  const entries = new Map<string, string>()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, text: string) => entries.set(key, text),
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  const issuer = await startIssuer()
  const create = () =>
    createOAuth({ issuer: issuer.url, clientId: 'app', redirectUri: 'https://app.example.com/callback' })
  const other = createAuth(create().ports)
  onTestFinished(() => other.dispose())
  const url = issuer.answer(await create().authorizationUrl())
  await expect(other.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'unknown_state' })
  expect(entries.size).toBe(0)
})
