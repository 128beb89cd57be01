import axios from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Auth, createAuth, onStepUp } from '../../src/index.ts'
import {
  createOAuth,
  dpopProofs,
  memoryTransactions,
  type OAuthOptions,
  type SignInRequest,
  stepUp,
} from '../../src/oauth2/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { APP, CALLBACK, createBrowser, type ProviderOptions, startProvider } from './provider.ts'
import { startResourceServer } from './resource-server.ts'

type Ask = Parameters<typeof stepUp>[1]

/** A session of Ada, an API that may ask for more, and a browser in which she signs in again. */
async function setUp(providerOptions: ProviderOptions = {}, options: Partial<OAuthOptions> = {}) {
  const server = await startProvider(providerOptions)
  const resource = await startResourceServer(server)
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
    scope: 'openid read',
    ...options,
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  const browse = createBrowser()
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  const events: string[] = []
  auth.on('*', ({ type }) => void events.push(type))
  const asked: Parameters<Ask>[0][] = []
  /** Signs in again in the browser, as the user that `changes` may name. */
  const ask =
    (changes: object = {}, browser = browse): Ask =>
    async (request) => {
      asked.push(request)
      const start = await oauth.authorizationUrl({ ...request, ...changes })
      return { via: 'callback', url: await browser(start) }
    }
  return { server, resource, oauth, auth, browse, events, asked, ask }
}

interface Client {
  get(path: string): Promise<{ readonly status: number; readonly user: string }>
  post(path: string, body: object): Promise<{ readonly body: string }>
}

const CLIENTS: { readonly [name: string]: (auth: Auth<SignInRequest>, url: string) => Client } = {
  fetch(auth, url) {
    const api = createAuthFetch(auth, { origins: [url] })
    return {
      async get(path) {
        const answer = await api(url + path)
        return { status: answer.status, ...(await answer.json()) }
      },
      async post(path, body) {
        return (await api(url + path, { method: 'POST', body: JSON.stringify(body) })).json()
      },
    }
  },
  ofetch(auth, url) {
    const api = createAuthOfetch(auth, { defaults: { baseURL: url, ignoreResponseError: true } })
    return {
      async get(path) {
        const { status, _data } = await api.raw(path)
        return { status, ..._data }
      },
      post: (path, body) => api(path, { method: 'POST', body }),
    }
  },
  axios(auth, url) {
    const api = axios.create({ baseURL: url, validateStatus: () => true })
    attachAuth(api, auth)
    return {
      async get(path) {
        const { status, data } = await api.get(path)
        return { status, ...data }
      },
      post: async (path, body) => (await api.post(path, body)).data,
    }
  },
}

describe.each(Object.entries(CLIENTS))('by %s', (_, clientOf) => {
  const start = async (options?: ProviderOptions) => {
    const made = await setUp(options)
    return { ...made, client: clientOf(made.auth, made.resource.url) }
  }

  test('twenty requests that need a stronger sign-in ask for one, and each goes again once', async () => {
    const { client, auth, oauth, ask, asked, resource, events, server } = await start()
    onStepUp(auth, stepUp(oauth, ask()))
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/mfa')))
    expect(answers).toEqual(Array(20).fill({ status: 200, user: 'ada', body: '' }))
    expect(asked).toEqual([{ scope: 'openid read', acrValues: 'mfa', user: { iss: server.url, sub: 'ada' } }])
    expect(resource.count('/mfa 401')).toBe(20)
    expect(resource.count('/mfa 200')).toBe(20)
    expect(auth.session).toMatchObject({ epoch: 1, subject: 'ada' })
    expect(events).not.toContain('signedIn')
    expect(events).not.toContain('signedOut')
    expect(server.problems).toEqual([])
  })

  test('a scope that is missing is added to those of the session, and the body is sent again', async () => {
    const { client, auth, oauth, ask, asked, server } = await start()
    onStepUp(auth, stepUp(oauth, ask()))
    const { body } = await client.post('/write', { text: 'a line' })
    expect(JSON.parse(body)).toEqual({ text: 'a line' })
    expect(asked).toMatchObject([{ scope: 'openid read write' }])
    expect(auth.session?.scope?.split(' ').sort()).toEqual(['openid', 'read', 'write'])
    await auth.refresh()
    expect(server.problems).toEqual([])
  })

  test('max_age asks for a sign-in that is recent enough', async () => {
    const { client, auth, oauth, ask, asked } = await start({
      signedInAt: Math.floor(Date.now() / 1_000) - 3_600,
    })
    onStepUp(auth, stepUp(oauth, ask()))
    expect(await client.get('/recent')).toMatchObject({ status: 200 })
    expect(asked).toMatchObject([{ maxAge: 300 }])
  })

  test('a demand that no sign-in satisfies is the answer, after one attempt', async () => {
    const { client, auth, oauth, ask, asked, resource } = await start()
    onStepUp(auth, stepUp(oauth, ask()))
    expect(await client.get('/impossible')).toMatchObject({ status: 401 })
    expect(asked).toHaveLength(1)
    expect(resource.count('/impossible 401')).toBe(2)
  })

  test('a user who declines gets the answer of the API', async () => {
    const { client, auth, oauth, resource, server } = await start()
    const requests = server.requests.length
    onStepUp(
      auth,
      stepUp(oauth, () => undefined),
    )
    expect(await client.get('/mfa')).toMatchObject({ status: 401 })
    expect(resource.answers).toEqual(['/mfa 401'])
    expect(server.requests).toHaveLength(requests)
  })
})

test.each([
  [
    'by the ID token, before the tokens reach the session',
    {},
    { code: 'oauth_failed', reason: 'another_user' },
  ],
  ['by the session, if the app has not passed the user on', { user: undefined }, undefined],
])('another user is refused %s, and the session stays', async (_, changes, error) => {
  const { auth, oauth, ask, resource, server, events } = await setUp()
  const token = await auth.getAccessToken()
  const errors: unknown[] = []
  const handler = stepUp(oauth, ask({ loginHint: 'eve', ...changes }, createBrowser()))
  onStepUp(auth, async (need, options) => {
    try {
      return await handler(need, options)
    } catch (thrown) {
      errors.push(thrown)
      return undefined
    }
  })
  const api = createAuthFetch(auth, { origins: [resource.url] })
  expect((await api(`${resource.url}/mfa`)).status).toBe(401)
  expect(errors).toEqual(error ? [expect.objectContaining(error)] : [])
  expect(auth.session?.subject).toBe('ada')
  expect(await auth.getAccessToken()).toBe(token)
  expect(events).not.toContain('signedOut')
  await expect.poll(() => server.requests, { timeout: 30_000 }).toContain('POST /token/revocation')
  expect(await server.introspect(token)).toBeDefined()
})

test('a callback after a redirect is refused if another user signed in, and a session in the store stays', async () => {
  const { auth, oauth, server } = await setUp()
  const user = { iss: server.url, sub: 'ada' }
  const url = await createBrowser()(await oauth.authorizationUrl({ user, loginHint: 'eve' }))
  await expect(auth.signIn({ via: 'callback', url })).rejects.toMatchObject({
    name: 'OAuthError',
    reason: 'another_user',
  })
  expect(auth.state).toBe('authenticated')
  expect(auth.session?.subject).toBe('ada')
})

test('a session without an ID token cannot be checked, so the user is not asked', async () => {
  const { server, ask, asked, browse } = await setUp()
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
    scope: 'read',
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  const handler = stepUp(oauth, ask())
  const options = {
    signal: new AbortController().signal,
    user: undefined,
    scope: undefined,
    singleUser: false,
  }
  await expect(handler({ acrValues: 'mfa' }, options)).rejects.toMatchObject({ reason: 'user_unknown' })
  expect(asked).toEqual([])
})

test.each([-1, 0.5, 1e12, Number.NaN])('max_age of %s is not sent to the server', async (maxAge) => {
  const { oauth, server } = await setUp()
  let asked: object = {}
  const handler = stepUp(oauth, (request) => {
    asked = request
    return undefined
  })
  const user = { iss: server.url, sub: 'ada' }
  await handler(
    { maxAge },
    { signal: new AbortController().signal, user, scope: undefined, singleUser: false },
  )
  expect(asked).not.toHaveProperty('maxAge')
})

test('tokens that are bound to a key stay bound to it after a stronger sign-in', async () => {
  const dpop = dpopProofs()
  const { auth, oauth, ask, asked, resource, server } = await setUp({ requiresDPoP: true }, { dpop })
  onStepUp(auth, stepUp(oauth, ask()))
  const api = createAuthFetch(auth, { origins: [resource.url] })
  const answers = await Promise.all([1, 2, 3].map(() => api(`${resource.url}/mfa`)))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(asked).toHaveLength(1)
  const token = await server.introspect(await auth.getAccessToken())
  expect(token).toMatchObject({ jkt: await dpop.keyId() })
  await auth.refresh()
  expect(auth.session?.epoch).toBe(1)
  expect(server.problems.filter((problem) => !problem.startsWith('use_dpop_nonce'))).toEqual([])
})
