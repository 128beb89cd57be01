import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuth, type TokenResponse } from '../../src/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'

/** A server that answers every request with a token response, and redirects `/moved` to a sign-in page of another origin. */
async function listen() {
  const seen: string[] = []
  const server = createServer(({ url = '', headers }, response) => {
    seen.push(`${url} ${headers.authorization ?? '-'}`)
    const isMoved = url === '/moved' && headers.authorization !== 'Bearer new'
    const { port } = server.address() as AddressInfo
    if (isMoved) response.writeHead(302, { location: `http://localhost:${port}/login` }).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"new"}')
  })
  await new Promise<void>((resolve) => void server.listen(0, resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

type Post = (path: string) => Promise<TokenResponse>

/** How each client of a session posts. The hooks and interceptors make the sending asynchronous. */
const CLIENTS: Readonly<Record<string, (auth: ReturnType<typeof createAuth>, url: string) => Post>> = {
  fetch: (auth, url) => {
    const api = createAuthFetch(auth, { origins: [url] })
    return async (path) => (await api(url + path, { method: 'POST' })).json()
  },
  ofetch: (auth, url) => {
    const api = createAuthOfetch(auth, { defaults: { baseURL: url, onRequest: async () => {} } })
    return (path) => api(path, { method: 'POST' })
  },
  axios: (auth, url) => {
    const api = axios.create({ baseURL: url })
    attachAuth(api, auth)
    api.interceptors.request.use(async (config) => config)
    return async (path) => (await api.post(path)).data
  },
}

describe.each(Object.entries(CLIENTS))('a session that sends its own calls by %s', (_, connect) => {
  it('refuses them in words, and sends nothing', async () => {
    const { url, seen } = await listen()
    let post: Post = () => Promise.reject()
    const shared = { send: (path: string) => post(path) }
    const auth = createAuth({
      initialTokens: { access_token: 'old', refresh_token: 'r', expires_in: 0 },
      signIn: () => shared.send('/session'),
      refresh: async () => await shared.send('/token'),
      revoke: () => shared.send('/revoke'),
      retry: { attempts: 1 },
    })
    onTestFinished(() => auth.dispose())
    post = connect(auth, url)
    const events: unknown[] = []
    auth.on('*', ({ type, reason }) => events.push(`${type} ${reason}`))
    await expect(post('/x')).rejects.toMatchObject({
      code: 'refresh_unavailable',
      cause: { code: 'own_client', message: expect.stringContaining('plain fetch') },
    })
    expect(auth.session).toBeDefined()
    await expect(auth.signIn({})).rejects.toMatchObject({ code: 'own_client' })
    await auth.signOut()
    expect(events).toContain('revocationFailed own_client')
    expect(seen).toEqual([])
  })
})

describe('a transport', () => {
  it('refuses the auth of another version of this package in words', () => {
    for (const foreign of [{}, { [Symbol.for('authchart.gate/1')]: {} }] as never[]) {
      const expected = 'of this version of authchart'
      expect(() => createAuthFetch(foreign, { origins: ['https://a.example'] })).toThrow(expected)
      expect(() => createAuthOfetch(foreign, { origins: ['https://a.example'] })).toThrow(expected)
      expect(() => attachAuth(axios.create(), foreign, { origins: ['https://a.example'] })).toThrow(expected)
    }
  })

  it.each(['follow', 'manual'] as const)(
    'refreshes for a redirect to a sign-in page that isChallenge recognises: redirect %j',
    async (redirect) => {
      const { url, seen } = await listen()
      const auth = createAuth({
        initialTokens: { access_token: 'old', refresh_token: 'r' },
        refresh: () => ({ access_token: 'new' }),
      })
      onTestFinished(() => auth.dispose())
      const api = createAuthFetch(auth, {
        origins: [url],
        isChallenge: ({ status, type, redirected, url: end }) =>
          [302, 401].includes(status) ||
          type === 'opaqueredirect' ||
          (redirected && new URL(end).pathname === '/login'),
      })
      const response = await api(`${url}/moved`, { redirect })
      expect(await response.json()).toEqual({ access_token: 'new' })
      expect(seen.at(-1)).toBe('/moved Bearer new')
      expect(seen).not.toContain('/login Bearer old')
    },
  )
})
