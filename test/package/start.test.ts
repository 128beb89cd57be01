import type { AxiosInstance } from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import * as authchart from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { createTokenServer, type TokenServer } from '../../src/testing/index.ts'
import { startSupabase } from '../start/supabase.ts'
import { serveJsonApi } from '../support/json-api.ts'
import { fileNameOf, snippetsOf } from './readme-source.ts'
import { type Ran, runSnippet } from './run-snippet.ts'

describe('docs/start/quick-start.md', () => {
  const snippets = snippetsOf('docs/start/quick-start.md')
  const under = (heading: string) => snippets.find((snippet) => snippet.heading === heading)!
  const main = snippets.find((snippet) => fileNameOf(snippet) === 'main.ts')!
  const me = expect.objectContaining({ path: '/api/me', subject: 'ada', generation: 1 })

  it.each([
    ['Quick start', serveJsonApi],
    ['An OAuth token endpoint', (server: TokenServer) => server.listen()],
  ] as const)('%s: signs in, refreshes once and receives the end of the session', async (heading, serve) => {
    const server = createTokenServer()
    const { url, close } = await serve(server)
    onTestFinished(close)
    const { exports, printed } = await runSnippet(under(heading), url)
    const { auth, api } = exports
    onTestFinished(() => auth.dispose())
    expect((await runSnippet(main, url, {}, { './auth.ts': exports })).printed).toEqual([[me]])

    // Several requests at once with an expired token, like in an app.
    server.expireAccessTokens()
    await Promise.all([1, 2, 3].map(() => api(`${url}/api/me`)))
    expect(server.refreshes).toBe(1)
    expect(server.log.filter(({ path, status }) => path === '/api/me' && status === 200)).toHaveLength(4)

    server.killRefreshTokens()
    server.expireAccessTokens()
    await expect(api(`${url}/api/me`)).rejects.toThrow(authchart.SessionExpiredError)
    expect(printed).toEqual([['Sign in again:', 'invalid_grant']])
  })

  it.each([
    ['ofetch', ({ api }: Ran['exports']) => api('/api/me')],
    ['axios', async (exports: Ran['exports']) => (await clientOf(exports).get('/api/me')).data],
  ] as const)('%s: sends the token, and shares the refresh', async (heading, get) => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const { exports } = await runSnippet(under('Quick start'), url)
    const { auth } = exports
    onTestFinished(() => auth.dispose())
    await auth.signIn({ username: 'ada', password: 'correct' } as never)
    const client = (await runSnippet(under(heading), url, { auth, API: url })).exports
    expect(await get(client)).toEqual(me)
    server.expireAccessTokens()
    await Promise.all([get(client), get(client), get(client)])
    expect(server.refreshes).toBe(1)
  })

  it('Quick start: a sign-out revokes the tokens at the server', async () => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const { auth } = (await runSnippet(under('Quick start'), url)).exports
    onTestFinished(() => auth.dispose())
    await auth.signIn({ username: 'ada', password: 'correct' } as never)
    await auth.signOut()
    expect(server.revocations).toBe(1)
  })
})

/** The client that a page for axios exports. */
const clientOf = ({ api }: Ran['exports']) => api as unknown as AxiosInstance

/** Stores that need a browser, replaced by one in memory. */
const STORES = {
  'authchart/storage': { encryptedStorage: memoryStorage, webStorage: memoryStorage },
  'authchart/tabs': { tabCoordinator },
}

describe('docs/start/json-tokens.md', () => {
  const [start, shape] = snippetsOf('docs/start/json-tokens.md')

  it('signs in, refreshes once, keeps the session in the store and ends it', async () => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const { auth, api } = (await runSnippet(start!, url, {}, STORES)).exports
    onTestFinished(() => auth.dispose())
    await auth.signIn({ username: 'ada', password: 'correct' })
    server.expireAccessTokens()
    const answers = await Promise.all([1, 2, 3].map(() => api(`${url}/api/me`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(server.refreshes).toBe(1)
    await auth.signOut()
    expect(server.revocations).toBe(1)
  })

  it('an answer of another shape becomes a token response', async () => {
    const { exports } = await runSnippet(shape!)
    const { tokensOf } = exports as unknown as { tokensOf: (answer: object) => authchart.TokenResponse }
    const data = { jwt: 'at-1', renew: 'rt-1', validUntil: '2100-01-01T00:00:00Z', user: { id: 7 } }
    using auth = authchart.createAuth({ refresh: () => ({}), initialTokens: tokensOf({ data }) })
    await auth.ready()
    expect(auth.session).toMatchObject({ subject: '7', expiresAt: Date.parse(data.validUntil) })
    expect(await auth.getAccessToken()).toBe('at-1')
  })
})

/** The old keys of a user of the code before. */
function oldKeys(keys: Readonly<Record<string, string>>) {
  const old = new Map(Object.entries(keys))
  return {
    old,
    localStorage: {
      getItem: (key: string) => old.get(key) ?? null,
      removeItem: (key: string) => old.delete(key),
    },
  }
}

describe.each(['from-an-interceptor', 'from-axios-auth-refresh'])('docs/start/%s.md', (name) => {
  it('adopts the tokens of the old code, refreshes once and leads to the sign-in page', async () => {
    const server = createTokenServer()
    const { url, close } = await serveJsonApi(server)
    onTestFinished(close)
    const snippets = snippetsOf(`docs/start/${name}.md`)
    const codeOf = (file: string) => snippets.find((snippet) => fileNameOf(snippet) === file)

    const { access_token: accessToken, refresh_token: refreshToken } = server.issue('ada')
    const tokens = { accessToken, refreshToken }
    const { old, localStorage } = oldKeys({ ...tokens, tokens: JSON.stringify(tokens) })
    const visited: string[] = []
    const given = { localStorage, location: { assign: (path: string) => visited.push(path) } }
    const adopt = codeOf('adopt.ts')
    const modules = {
      ...STORES,
      ...(adopt && { './adopt.ts': (await runSnippet(adopt, url, given)).exports }),
    }
    const { exports } = await runSnippet(codeOf('api.ts')!, url, given, modules)
    const { auth } = exports
    const api = clientOf(exports)
    onTestFinished(() => auth.dispose())
    expect([...old.keys()]).toEqual(adopt ? ['tokens'] : ['accessToken', 'refreshToken'])

    server.expireAccessTokens()
    const answers = await Promise.all([1, 2, 3].map(() => api.get('/api/me')))
    expect(answers.map(({ data }) => data.subject)).toEqual(['ada', 'ada', 'ada'])
    expect(server.refreshes).toBe(1)

    server.killRefreshTokens()
    server.expireAccessTokens()
    await expect(api.get('/api/me')).rejects.toThrow(authchart.SessionExpiredError)
    expect(visited).toEqual(['/login'])
  })
})

describe('docs/start/supabase.md', () => {
  it('signs in, refreshes once for all requests of supabase-js, and expires if the refresh is refused', async () => {
    // Without its types, which would take long to check.
    const client = await import('@supabase/supabase-js' as string)
    // Node 20 has no WebSocket of its own, which the client looks for.
    const createClient = (address: string, key: string, options: object) =>
      client.createClient(address, key, { ...options, realtime: { transport: class {} } })
    const { server, replace, close } = await startSupabase()
    onTestFinished(close)
    const [from = '', to = ''] = Object.entries(replace)[0] ?? []
    const [start, withClient, main] = snippetsOf('docs/start/supabase.md').map(({ code }) => ({
      code: code.replaceAll(from, to),
    }))
    const modules: Record<string, unknown> = { ...STORES, '@supabase/supabase-js': { createClient } }
    const { exports } = await runSnippet(start!, to, {}, modules)
    const { auth } = exports
    onTestFinished(() => auth.dispose())
    modules['./auth.ts'] = exports
    modules['./supabase.ts'] = (await runSnippet(withClient!, to, {}, modules)).exports
    const rows = async () => (await runSnippet(main!, to, {}, modules)).printed
    expect(await rows()).toEqual([[expect.objectContaining({ subject: 'ada@example.com', generation: 1 })]])

    server.expireAccessTokens()
    const second = [[expect.objectContaining({ generation: 2 })]]
    expect(await Promise.all([rows(), rows(), rows()])).toEqual([second, second, second])
    expect(server.refreshes).toBe(1)

    server.killRefreshTokens()
    await expect(auth.refresh()).rejects.toThrow()
    server.expireAccessTokens()
    expect(auth.history.filter(({ type }) => type === 'refreshFailed').at(-1)).toMatchObject({
      fatal: true,
      status: 400,
    })
  })
})
