import { ClientSecretBasic } from 'oauth4webapi'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import {
  clientCredentials,
  createOAuth,
  type DPoPKey,
  dpopProofs,
  type KeyStore,
  memoryTransactions,
} from '../../src/oauth2/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { transports } from '../conformance/transports.ts'
import { startApi } from './dpop-api.ts'
import {
  APP,
  CALLBACK,
  createBrowser,
  MACHINE,
  SECRET,
  startProvider,
  type TestProvider,
} from './provider.ts'

/** A store of keys that the test can change. */
function mapKeys() {
  const keys = new Map<string, DPoPKey>()
  const store: KeyStore = {
    get: (id) => keys.get(id),
    add(id, key) {
      if (keys.has(id)) return 'exists'
      keys.set(id, key)
      return 'added'
    },
    remove: (id) => void keys.delete(id),
  }
  return { keys, store }
}

async function setUp({ lifetime = 3_600 } = {}) {
  const provider = await startProvider({ requiresDPoP: true, lifetime })
  const api = await startApi(provider)
  const { keys, store } = mapKeys()
  const storage = memoryStorage()
  const open = () => {
    const dpop = dpopProofs({ keys: store })
    const oauth = createOAuth({
      issuer: provider.url,
      clientId: APP,
      redirectUri: CALLBACK,
      transactions: memoryTransactions(),
      dpop,
    })
    const auth = createAuth({ ...oauth.ports, storage })
    onTestFinished(() => auth.dispose())
    return { dpop, oauth, auth }
  }
  const first = open()
  const start = await first.oauth.authorizationUrl()
  await first.auth.signIn({ via: 'callback', url: await createBrowser()(start) })
  return { provider, api, keys, storage, open, start, ...first }
}

const tokenRequests = ({ requests }: TestProvider) =>
  requests.filter((request) => request === 'POST /token').length

test('the code, the tokens and each refresh are bound to the key, and a nonce costs one request', async () => {
  const { provider, auth, dpop, start, storage } = await setUp()
  const keyId = await dpop.keyId()

  expect(start.searchParams.get('dpop_jkt')).toBe(keyId)
  expect(tokenRequests(provider)).toBe(2)
  expect(await provider.introspect(await auth.getAccessToken())).toMatchObject({ jkt: keyId })
  expect(storage.read()).toMatchObject({ tokenType: 'DPoP', keyId })

  await auth.refresh()
  await auth.refresh()
  expect(tokenRequests(provider)).toBe(4)
  expect(await provider.introspect(await auth.getAccessToken())).toMatchObject({ jkt: keyId })
  expect(auth.session).toMatchObject({ subject: 'ada', generation: 3 })
  expect(provider.problems.filter((problem) => !/nonce/.test(problem))).toEqual([])
})

describe.each(transports)('$name', ({ create }) => {
  test('sends proofs that the API accepts, and one more for each new nonce', async () => {
    const { auth, api } = await setUp()
    const client = create(auth, { origin: api.url })
    for (const path of ['/a', '/b']) expect((await client.get(path)).status).toBe(200)
    api.changeNonce()
    for (const path of ['/c', '/d']) expect((await client.post(path, { a: 1 })).status).toBe(200)
    expect(api.answered).toEqual([
      '/a use_dpop_nonce',
      '/a ok',
      '/b ok',
      '/c use_dpop_nonce',
      '/c ok',
      '/d ok',
    ])
  })
})

test('a session that is restored goes on with its key', async () => {
  const { api, open } = await setUp()
  const { auth } = open()
  await auth.ready()
  await auth.refresh()
  const fetchApi = createAuthFetch(auth, { origins: [api.url] })
  expect((await fetchApi(`${api.url}/a`)).status).toBe(200)
})

test('a lost key ends the session as key_lost, and the refresh token is not presented', async () => {
  const { provider, api, keys, open } = await setUp()
  keys.clear()
  const { auth } = open()
  await auth.ready()
  const before = tokenRequests(provider)
  const fetchApi = createAuthFetch(auth, { origins: [api.url] })

  await expect(fetchApi(`${api.url}/a`)).rejects.toMatchObject({
    code: 'session_expired',
    reason: 'key_lost',
  })

  expect(tokenRequests(provider)).toBe(before)
  expect(auth.history.at(-1)).toMatchObject({ reason: 'key_lost' })
})

test('a key that is lost while the page is open ends the session as key_lost, and the refresh token is not presented', async () => {
  const { provider, api, keys, auth } = await setUp()
  const before = tokenRequests(provider)
  keys.clear()
  const fetchApi = createAuthFetch(auth, { origins: [api.url] })
  expect((await fetchApi(`${api.url}/a`)).status).toBe(200)

  await expect(auth.refresh()).rejects.toMatchObject({ code: 'session_expired', reason: 'key_lost' })

  await expect(fetchApi(`${api.url}/b`)).rejects.toMatchObject({ reason: 'key_lost' })
  expect(tokenRequests(provider)).toBe(before)
  expect(auth.state).toBe('expired')
})

test('a key that is lost before the user is back ends the sign-in as key_lost, and the next one succeeds', async () => {
  const { provider, keys, auth, oauth } = await setUp()
  await auth.signOut()
  const before = tokenRequests(provider)
  const url = await createBrowser()(await oauth.authorizationUrl())
  keys.clear()

  for (let time = 0; time < 2; time++)
    await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({
      code: 'oauth_failed',
      reason: 'key_lost',
    })

  expect(tokenRequests(provider)).toBe(before)
  await auth.signIn({ via: 'callback', url: await createBrowser()(await oauth.authorizationUrl()) })
  expect(auth.session?.subject).toBe('ada')
})

test('of two clients that differ in their key, the wrong one leaves an answer to the other', async () => {
  const provider = await startProvider({ requiresDPoP: true })
  const transactions = memoryTransactions()
  const client = () => {
    const dpop = dpopProofs()
    const options = { issuer: provider.url, clientId: APP, redirectUri: CALLBACK, transactions, dpop }
    const oauth = createOAuth(options)
    const auth = createAuth(oauth.ports)
    onTestFinished(() => auth.dispose())
    return { oauth, auth }
  }
  const [first, second] = [client(), client()]
  const url = await createBrowser()(await first.oauth.authorizationUrl())

  await expect(second.auth.signIn({ via: 'callback', url })).rejects.toMatchObject({ reason: 'key_lost' })
  await first.auth.signIn({ via: 'callback', url })

  expect(first.auth.session?.subject).toBe('ada')
})

test('a session that has ended at the server is another matter than a lost key', async () => {
  const { provider, auth } = await setUp()
  const token = await provider.introspect(await auth.getAccessToken())
  await provider.provider.RefreshToken.revokeByGrantId(token!.grantId!)
  await expect(auth.refresh()).rejects.toMatchObject({ reason: 'invalid_grant' })
})

test('a sign-out revokes the tokens and removes the key, and the next session has another', async () => {
  const { provider, auth, oauth, dpop, keys } = await setUp()
  const keyId = await dpop.keyId()
  const token = await auth.getAccessToken()

  await auth.signOut()

  expect(await provider.introspect(token)).toBeUndefined()
  expect(keys.size).toBe(0)
  await auth.signIn({ via: 'callback', url: await createBrowser()(await oauth.authorizationUrl()) })
  expect(await dpop.keyId()).not.toBe(keyId)
  await auth.refresh()
})

test('a session that keeps its key itself makes none in the store of keys, and does not need it', async () => {
  const provider = await startProvider({ requiresDPoP: true })
  const { keys, store } = mapKeys()
  const full = () => Promise.reject(new Error('full'))
  for (const add of [store.add, full]) {
    const dpop = dpopProofs({ perSession: true, keys: { ...store, add } })
    const transactions = memoryTransactions()
    const oauth = createOAuth({
      issuer: provider.url,
      clientId: APP,
      redirectUri: CALLBACK,
      transactions,
      dpop,
    })
    const auth = createAuth(oauth.ports)
    onTestFinished(() => auth.dispose())
    await auth.signIn({ via: 'callback', url: await createBrowser()(await oauth.authorizationUrl()) })
    await auth.refresh()
    expect(await provider.introspect(await auth.getAccessToken())).toMatchObject({ jkt: expect.any(String) })
    expect(keys.size).toBe(0)
  }
})

test('client credentials are bound to a key in memory', async () => {
  const provider = await startProvider({ requiresDPoP: true })
  const dpop = dpopProofs()
  const auth = createAuth(
    clientCredentials({
      issuer: provider.url,
      clientId: MACHINE,
      clientAuth: ClientSecretBasic(SECRET),
      dpop,
    }),
  )
  onTestFinished(() => auth.dispose())
  await auth.ready()
  const token = await provider.provider.ClientCredentials.find(await auth.getAccessToken())
  expect(token).toMatchObject({ jkt: await dpop.keyId() })
})
