import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint, decodeProtectedHeader } from 'jose'
import { ClientSecretBasic } from 'oauth4webapi'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { fileCoordinator, fileStorage } from '../../src/file.ts'
import { type Auth, createAuth } from '../../src/index.ts'
import {
  clientCredentials,
  createOAuth,
  dpopProofs,
  memoryTransactions,
  tokenExchange,
} from '../../src/oauth2/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import {
  API,
  APP,
  CALLBACK,
  createBrowser,
  MACHINE,
  SECRET,
  startProvider,
  type TestProvider,
} from './provider.ts'

const machine = (server: TestProvider) => ({
  issuer: server.url,
  clientId: MACHINE,
  clientAuth: ClientSecretBasic(SECRET),
})

/** The thumbprint of the key of a proof. */
const keyOf = (proof: unknown) =>
  typeof proof === 'string' ? calculateJwkThumbprint(decodeProtectedHeader(proof).jwk ?? {}) : undefined

/** An API that takes tokens of client credentials. */
async function startApi(server: TestProvider) {
  const { url, close } = await listen(async (request, response) => {
    const { authorization = '', dpop } = request.headers
    const token = authorization.replace(/^(Bearer|DPoP) /, '')
    const issued = await server.provider.ClientCredentials.find(token)
    const found = issued?.jkt === undefined || issued.jkt === (await keyOf(dpop)) ? issued : undefined
    response
      .writeHead(found ? 200 : 401)
      .end(JSON.stringify({ client: found?.clientId, extra: found?.extra }))
  })
  onTestFinished(close)
  return url
}

test('a machine gets a token by its own credentials, and another one when that has been revoked', async () => {
  const server = await startProvider()
  const auth = createAuth(clientCredentials({ ...machine(server), scope: 'read', resource: API }))
  onTestFinished(() => auth.dispose())
  const api = await startApi(server)
  const send = createAuthFetch(auth, { origins: [api] })

  expect((await send(api)).status).toBe(200)
  const token = await auth.getAccessToken()
  const found = await server.provider.ClientCredentials.find(token)
  expect(found).toMatchObject({ clientId: MACHINE, scope: 'read', aud: API })
  await found?.destroy()
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(api)))

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(server.requests.filter((request) => request === 'POST /token')).toHaveLength(2)
})

/** A token endpoint that answers as its server does, until it is set to another answer. */
function unsteady() {
  let answer: (() => Response | Promise<Response>) | undefined
  const send: typeof fetch = async (url, init) =>
    answer && String(url).endsWith('/token') ? answer() : fetch(url, init)
  return {
    fetch: send,
    become(next?: typeof answer) {
      answer = next
    },
  }
}

const SOON = { retry: { attempts: 2, minDelay: 1 } }

describe('a machine', () => {
  test.each<[string, () => Response]>([
    ['is down', () => new Response('', { status: 503 })],
    ['does not know its secret', () => Response.json({ error: 'invalid_client' }, { status: 401 })],
    [
      'refuses it by a challenge',
      () => new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="token"' } }),
    ],
  ])('gets a token as soon as its server gives one, although that %s at the start', async (_, refusal) => {
    const server = await startProvider()
    const endpoint = unsteady()
    endpoint.become(refusal)
    const auth = createAuth({ ...clientCredentials({ ...machine(server), fetch: endpoint.fetch }), ...SOON })
    onTestFinished(() => auth.dispose())
    await expect(auth.getAccessToken()).rejects.toMatchObject({
      code: 'refresh_unavailable',
      reason: refusal().status === 503 ? 'server_error' : 'invalid_client',
    })

    endpoint.become()

    expect(await auth.getAccessToken()).toEqual(expect.any(String))
  })

  test('keeps its session if the server refuses it for a while', async () => {
    const server = await startProvider()
    const endpoint = unsteady()
    const auth = createAuth({ ...clientCredentials({ ...machine(server), fetch: endpoint.fetch }), ...SOON })
    onTestFinished(() => auth.dispose())
    const first = await auth.getAccessToken()
    endpoint.become(() => Response.json({ error: 'invalid_client' }, { status: 401 }))
    await expect(auth.refresh()).rejects.toMatchObject({ reason: 'invalid_client' })
    endpoint.become()

    await auth.refresh()

    expect(await auth.getAccessToken()).not.toBe(first)
  })

  /** Sessions of several processes that share a file. */
  async function processes(server: TestProvider, count: number) {
    const file = join(await mkdtemp(join(tmpdir(), 'authchart-')), 'session.json')
    return Array.from({ length: count }, () => {
      const store = { storage: fileStorage(file), coordinator: fileCoordinator(file) }
      const auth = createAuth({ ...clientCredentials(machine(server)), ...store })
      onTestFinished(() => auth.dispose())
      return auth
    })
  }

  test('of several processes has one token in all of them', async () => {
    const server = await startProvider()
    const auths = await processes(server, 5)
    const tokens = () => Promise.all(auths.map((auth) => auth.getAccessToken()))
    const requests = () => server.requests.filter((request) => request === 'POST /token').length

    expect(new Set(await tokens()).size).toBe(1)
    expect(requests()).toBe(1)
    await Promise.all(auths.map((auth) => auth.refresh()))
    expect(new Set(await tokens()).size).toBe(1)
    expect(requests()).toBe(2)
  })

  test('goes on with another key if that of its last run was kept in memory', async () => {
    const server = await startProvider({ requiresDPoP: true })
    const url = await startApi(server)
    const storage = memoryStorage()
    const call = async () => {
      const auth = createAuth({ ...clientCredentials({ ...machine(server), dpop: dpopProofs() }), storage })
      await auth.ready()
      const { status } = await createAuthFetch(auth, { origins: [url] })(url)
      auth.dispose()
      return status
    }
    expect([await call(), await call(), await call()]).toEqual([200, 200, 200])
  })

  test('goes on if another process signs out of the session that they share', async () => {
    const server = await startProvider()
    const [auth, other] = (await processes(server, 2)) as [Auth<never>, Auth<never>]
    const before = await auth.getAccessToken()
    expect(await other.getAccessToken()).toBe(before)

    await other.signOut()
    await vi.waitUntil(async () => (await auth.getAccessToken()) !== before, { timeout: 15_000 })

    expect(auth.state).toBe('authenticated')
  })
})

describe("a session whose tokens are exchanged for a user's", () => {
  async function setUp() {
    const server = await startProvider()
    const oauth = createOAuth({
      issuer: server.url,
      clientId: APP,
      redirectUri: CALLBACK,
      transactions: memoryTransactions(),
    })
    const auth = createAuth(oauth.ports)
    const endpoint = unsteady()
    const options = { ...machine(server), audience: 'payments', fetch: endpoint.fetch }
    const exchanged = createAuth({ ...tokenExchange(auth, options), ...SOON })
    onTestFinished(() => exchanged.dispose())
    onTestFinished(() => auth.dispose())
    const api = await startApi(server)
    const send = createAuthFetch(exchanged, { origins: [api] })
    return {
      auth,
      exchanged,
      endpoint,
      signIn: async (loginHint: string) =>
        auth.signIn({
          via: 'callback',
          url: await createBrowser()(await oauth.authorizationUrl({ loginHint })),
        }),
      /** Whose token the API gets. */
      user: async () => (await (await send(api)).json()).extra?.subject,
    }
  }

  test('begins, ends and changes hands with the session of the user', async () => {
    const { auth, exchanged, signIn, user } = await setUp()
    await exchanged.ready()
    await expect(exchanged.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })

    await signIn('grace')
    expect(await user()).toBe('grace')
    await auth.signOut()
    await expect(exchanged.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })
    await expect(exchanged.refresh()).rejects.toMatchObject({ code: 'signed_out' })

    await signIn('ada')
    expect(await user()).toBe('ada')
    await signIn('grace')
    expect(await user()).toBe('grace')
    auth.dispose()
    await expect(exchanged.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })
  })

  test('sends no request that waited for one user with the token of another', async () => {
    const { endpoint, signIn, user } = await setUp()
    await signIn('grace')
    expect(await user()).toBe('grace')
    let isAsked = () => {}
    const asked = new Promise<void>((resolve) => {
      isAsked = resolve
    })
    endpoint.become(() => {
      isAsked()
      return new Promise(() => {})
    })
    await signIn('grace')
    const waiting = user()
    await asked
    endpoint.become()

    await signIn('ada')

    await expect(waiting).rejects.toMatchObject({ code: 'signed_out', reason: 'user_changed' })
    expect(await user()).toBe('ada')
  })

  const ISSUED = {
    access_token: 'exchanged',
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3_600,
  }

  test.each([
    ['does not say of which type it is', { issued_token_type: undefined }],
    ['names its type in another case', { token_type: 'bearer' }],
    ['has expired already', { expires_in: 0 }],
    ['lives for an unknown time', { expires_in: undefined }],
  ])('uses a token that %s', async (_, changes) => {
    const { endpoint, exchanged, signIn } = await setUp()
    endpoint.become(() => Response.json({ ...ISSUED, ...changes }))
    await signIn('grace')
    expect(await exchanged.getAccessToken()).toBe('exchanged')
    expect(await exchanged.getAccessToken()).toBe('exchanged')
  })

  test.each<[string, () => Response]>([
    ['a token that is no access token', () => Response.json({ ...ISSUED, token_type: 'N_A' })],
    ['a token of an unknown type', () => Response.json({ ...ISSUED, token_type: 'mac' })],
    ['a huge token', () => Response.json({ ...ISSUED, access_token: 'x'.repeat(1e6) })],
    ['no token', () => Response.json({ ...ISSUED, access_token: undefined })],
    ['a failure', () => new Response('', { status: 500 })],
  ])('goes on after an answer with %s, and the session of the user is as before', async (_, fault) => {
    const { auth, endpoint, exchanged, signIn, user } = await setUp()
    endpoint.become(fault)
    await signIn('grace')
    await expect(exchanged.getAccessToken()).rejects.toMatchObject({ code: 'refresh_unavailable' })
    expect(auth.session).toMatchObject({ subject: 'grace', generation: 1 })
    endpoint.become()
    expect(await user()).toBe('grace')
  })

  test('goes on if the server refuses an exchange for a while', async () => {
    const { endpoint, exchanged, signIn, user } = await setUp()
    endpoint.become(() => Response.json({ error: 'invalid_grant' }, { status: 400 }))
    await signIn('grace').catch(() => {})
    endpoint.become()
    await signIn('grace')
    endpoint.become(() => Response.json({ error: 'invalid_grant' }, { status: 400 }))
    await expect(exchanged.refresh()).rejects.toMatchObject({ reason: 'invalid_grant' })
    endpoint.become()
    await exchanged.refresh()
    expect(await user()).toBe('grace')
  })
})
