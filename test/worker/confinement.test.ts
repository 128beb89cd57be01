import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Auth, createAuth } from '../../src/index.ts'
import { canonicalEndpoint } from '../../src/worker/canonical-endpoint.ts'
import { type ServeAuthOptions, serveAuth } from '../../src/worker/index.ts'
import { PROTOCOL } from '../../src/worker/protocol.ts'
import fc from '../support/property.ts'

const API = 'https://api.example.com'
const SECRET = 'at-secret'

interface Answer {
  readonly type: string
  readonly id: number
  readonly error?: unknown
  readonly answer?: { readonly status: number }
}

/** A page that speaks the protocol itself, as a foreign script on it can. */
function attack(auth: Auth, options: ServeAuthOptions) {
  const { port1, port2 } = new MessageChannel()
  const stop = serveAuth(auth, { ...options, port: port2 })
  const waiting = new Map<number, (answer: Answer) => void>()
  let lastId = 0
  port1.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    if (data.type === 'answer' || data.type === 'failed') waiting.get(data.id)?.(data)
  })
  port1.start()
  const say = (message: object) => port1.postMessage({ authchart: PROTOCOL, page: 'attacker', ...message })
  say({ type: 'hello' })
  onTestFinished(() => {
    stop()
    auth.dispose()
    port1.close()
  })
  return (request: unknown) =>
    new Promise<Answer>((resolve) => {
      const id = ++lastId
      waiting.set(id, resolve)
      say({ type: 'request', id, request })
    })
}

const signedIn = (options: Partial<Parameters<typeof createAuth>[0]> = {}) =>
  createAuth({
    refresh: () => ({ access_token: SECRET }),
    initialTokens: { access_token: SECRET },
    ...options,
  })

/** Replaces the global `fetch`. Returns the URLs that were sent with the token. */
function stubFetch() {
  const sent: { readonly url: string; readonly token: boolean }[] = []
  vi.stubGlobal('fetch', async (input: string | Request, init?: RequestInit) => {
    const { url, headers } = new Request(input, init)
    sent.push({ url, token: headers.get('authorization')?.includes(SECRET) ?? false })
    return Response.json({ access_token: 'at-new' })
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  return sent
}

const refused = { type: 'failed', error: { kind: 'auth', code: 'worker_failed', reason: 'refused' } }

describe('a page that asks a worker for a request', () => {
  it('reaches only the origins of the worker, with a URL that is a text', async () => {
    const sent = stubFetch()
    const ask = attack(signedIn(), { origins: [API], exclude: (url) => url.endsWith('/excluded') })
    const evil = 'https://evil.example.net'
    const like = (url: unknown, fields: object) => Object.assign(url as object, fields)
    for (const url of [
      evil,
      `${API}.evil.example.net/`,
      `${API}@evil.example.net/`,
      `//evil.example.net/`,
      '/me',
      'me',
      '',
      'javascript:0',
      `blob:${API}/1`,
      'http://api.example.com/me',
      `${API}:8443/me`,
      'https://api.example.com./me',
      ` ${evil}`,
      `${API}/excluded`,
    ])
      expect(await ask({ url, headers: [] }), url).toMatchObject(refused)
    for (const url of [
      like([`${evil}/?`], { clone: 1, url: `${API}/me` }),
      { url: `${API}/me`, clone: 1, href: evil },
      new Map([['url', `${API}/me`]]),
      new Date(),
      null,
      7,
    ])
      expect(await ask({ url, headers: [] })).toMatchObject({ type: 'failed', error: { reason: 'garbled' } })
    for (const headers of [{}, 'x', [['a']], [['a', 'b', 'c']], [[1, 2]], new Map(), undefined, [`a: b`]])
      expect(await ask({ url: `${API}/me`, headers })).toMatchObject({ error: { reason: 'garbled' } })
    for (const field of ['method', 'mode', 'credentials', 'cache', 'redirect', 'referrerPolicy', 'integrity'])
      expect(await ask({ url: `${API}/me`, headers: [], [field]: { toString: 1 } })).toMatchObject({
        error: { reason: 'garbled' },
      })
    expect(sent).toEqual([])
    const polluted = JSON.parse('{"__proto__":{"fetch":1},"constructor":{"prototype":1}}')
    expect(await ask({ ...polluted, url: `${API}/me`, headers: [] })).toMatchObject({ type: 'answer' })
    expect(await ask({ url: 'HTTPS://API.example.com:443/a/../me', headers: [['x', 'y']] })).toMatchObject({
      type: 'answer',
    })
    expect(sent).toEqual([
      { url: `${API}/me`, token: true },
      { url: `${API}/me`, token: true },
    ])
  })

  it('does not reach what refresh, signIn and revoke fetch, nor the named endpoints', async () => {
    stubFetch()
    const post = async (path: string, init?: RequestInit) => {
      // The request may follow after other work.
      await Promise.resolve()
      return (await fetch(`${API}${path}`, { method: 'POST', ...init })).json()
    }
    const auth = createAuth({
      async signIn() {
        await fetch(`${API}/profile`, { headers: { authorization: 'Bearer at-new' } })
        return post('/session')
      },
      refresh: ({ refreshToken }) =>
        post('/session/refresh', { headers: { authorization: `Bearer ${refreshToken}` } }),
      revoke: () => post('/session/revoke'),
      initialTokens: { access_token: SECRET, refresh_token: 'rt' },
    })
    const ask = attack(auth as Auth, {
      origins: [API],
      endpoints: [`${API}/named`],
      sharedEndpoints: [`${API}/graphql`],
    })
    const outcome = async (path: string) => (await ask({ url: API + path, headers: [] })).type
    expect(await outcome('/named?x=1')).toBe('failed')
    expect(await outcome('/session')).toBe('answer')
    const ownFetch = globalThis.fetch
    await auth.refresh()
    await auth.signOut()
    await auth.signIn(0)
    // The globals are replaced only while one of the functions runs.
    expect(globalThis.fetch).toBe(ownFetch)
    for (const path of ['/session', '/session/refresh', '/session/revoke'])
      expect(await outcome(path), path).toBe('failed')
    for (const path of ['/profile', '/session/other', '/sessions', '/'])
      expect(await outcome(path), path).toBe('answer')
  })

  it('reaches an endpoint that the app shares, although refresh fetches it', async () => {
    stubFetch()
    const auth = signedIn({ refresh: async () => (await fetch(`${API}/graphql`)).json() })
    const ask = attack(auth, { origins: [API], sharedEndpoints: [`${API}/graphql`] })
    await auth.refresh()
    expect(await ask({ url: `${API}/graphql`, headers: [] })).toMatchObject({ type: 'answer' })
  })

  it.each<[string, typeof fetch | undefined]>([
    ['the global fetch', undefined],
    ['a fetch of the app', (input, init) => fetch(input, init)],
  ])('does not record what pages ask for by %s while a function of the session runs', async (_, given) => {
    const sent = stubFetch()
    let revoked = () => {}
    const auth = signedIn({
      timeouts: { revoke: 1 },
      revoke: () =>
        new Promise<void>((resolve) => {
          revoked = resolve
        }),
    })
    const ask = attack(auth, { origins: [API], ...(given && { fetch: given }) })
    // The sign-out does not wait for the function, which goes on.
    await auth.signOut()
    const asked = ask({ url: `${API}/me`, headers: [] })
    await expect.poll(() => sent).toEqual([{ url: `${API}/me`, token: false }])
    expect(await asked).toMatchObject({ type: 'answer' })
    revoked()
    expect(await ask({ url: `${API}/me`, headers: [] })).toMatchObject({ type: 'answer' })
  })

  it('does not reach an endpoint by another spelling, method, query or header', async () => {
    const sent = stubFetch()
    const endpoint = `${API}/oauth/v1/Token`
    const ask = attack(signedIn(), { origins: [API, 'http://localhost'], endpoints: [endpoint] })
    const encode = (char: string) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
    const spelled = fc
      .array(fc.constantFrom('as is', 'upper', 'encoded', 'twice', 'thrice', 'unicode'), {
        minLength: 15,
        maxLength: 15,
      })
      .chain((ways) =>
        fc.record({
          ways: fc.constant(ways),
          slash: fc.constantFrom(
            '/',
            '//',
            '\\',
            '%2f',
            '%5C',
            '/./',
            '/x/../',
            '/x/..;a/',
            '/%2e/',
            '%252f',
            '/x/%2e%2e/',
            ';a=b/',
            './',
          ),
          end: fc.constantFrom(
            '',
            '/',
            '//',
            '.',
            '?a=b',
            '#x',
            '%3fa=b',
            ';jsessionid=1',
            '%20',
            '.json',
            '/.',
            '%00',
            '?',
          ),
          host: fc.constantFrom(
            'https://api.example.com',
            'HTTPS://API.EXAMPLE.COM',
            'https://api.example.com:443',
          ),
          method: fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD', 'PATCH', 'foo'),
        }),
      )
    const say = (char: string, way: string | undefined) => {
      if (way === 'upper') return char.toUpperCase()
      if (way === 'unicode') return `%u00${char.charCodeAt(0).toString(16)}`
      const times = ['as is', 'encoded', 'twice', 'thrice'].indexOf(way ?? '')
      let text = times > 0 ? encode(char) : char
      for (let time = 1; time < times; time++) text = text.replaceAll('%', '%25')
      return text
    }
    await fc.assert(
      fc.asyncProperty(spelled, async ({ ways, slash, end, host, method }) => {
        const path = ['oauth', 'v1', 'token'].map((part, index) =>
          [...part].map((char, at) => say(char, ways[index * 5 + at])).join(''),
        )
        const url = `${host}/${path.join(slash)}${end}`
        expect(await ask({ url, method, headers: [] }), url).toMatchObject({ type: 'failed' })
      }),
      { numRuns: 300 },
    )
    expect(await ask({ url: `${API}/me`, headers: [['X-Rewrite-URL', '/oauth/v1/token']] })).toMatchObject(
      refused,
    )
    expect(sent).toEqual([])
  })

  it('is judged in linear time, however long its URL', () => {
    const long = (text: string) => text.repeat(100_000)
    const began = performance.now()
    for (const path of [
      `${long('.')}x`,
      `${long('%2e')}x`,
      long('/..'),
      long('%'),
      long('%25'),
      `${long(' ')}x`,
      long(';'),
    ])
      canonicalEndpoint(new URL(`${API}/${path}`))
    expect(performance.now() - began).toBeLessThan(5_000)
  })

  it('reads no answer to which a redirect led past the rules', async () => {
    const log: IncomingMessage[] = []
    const server = createServer((request, response) => {
      log.push(request)
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://any')
      const to = searchParams.get('to')
      if (to) response.writeHead(307, { location: to })
      response.end(`${pathname} with tokens`)
    })
    await new Promise<void>((resolve) => server.listen(0, resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const here = `http://127.0.0.1:${port}`
    const elsewhere = `http://localhost:${port}`
    const ask = attack(
      signedIn({
        refresh: async () => ({ access_token: await (await fetch(`${here}/first?to=/renew`)).text() }),
      }),
      { origins: [here], endpoints: [`${here}/token`] },
    )
    const follow = async (to: string, credentials: string) =>
      (await ask({ url: `${here}/go?to=${encodeURIComponent(to)}`, headers: [], credentials })).type
    expect(await follow('/file', 'include')).toBe('answer')
    expect(await follow('/token', 'omit')).toBe('failed')
    expect(await follow(`${elsewhere}/file`, 'same-origin')).toBe('answer')
    expect(await follow(`${elsewhere}/file`, 'include')).toBe('failed')
  })
})
