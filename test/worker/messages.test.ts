import { describe, expect, it, onTestFinished } from 'vitest'
import { type Auth, createAuth } from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { connected } from './in-process.ts'

interface User {
  readonly username: string
  readonly password?: string
}

const textOf = (value: unknown): string => {
  const seen = new Set<unknown>()
  const parts: string[] = []
  const look = (part: unknown) => {
    if (typeof part === 'string') parts.push(part)
    if (typeof part !== 'object' || part === null || seen.has(part)) return
    seen.add(part)
    if (part instanceof Uint8Array) parts.push(Buffer.from(part).toString())
    else {
      for (const key of Reflect.ownKeys(part)) {
        look(String(key))
        look((part as Record<PropertyKey, unknown>)[key])
      }
    }
    if (part instanceof Error) parts.push(part.message, String(part.stack))
  }
  look(value)
  return parts.join('\n')
}

/** A session in a worker, with all that is said to its page written down. */
async function recorded() {
  const server = createTokenServer({ jwt: true })
  const issued = new Set<string>()
  const post = async (fields: Record<string, string>, signal?: AbortSignal) => {
    const body = new URLSearchParams(fields)
    const response = await server.fetch('/token', { method: 'POST', body, ...(signal && { signal }) })
    const text = await response.text()
    for (const [, token = ''] of text.matchAll(/"(?:access|refresh)_token":"([^"]+)"/g)) issued.add(token)
    return { response, text }
  }
  /** As the worst of apps would throw: with everything in it. */
  const throwing = async (fields: Record<string, string>, signal: AbortSignal) => {
    const { response, text } = await post(fields, signal)
    if (response.ok) return JSON.parse(text)
    const [token = 'none'] = [...issued].slice(-1)
    throw Object.assign(new Error(`refused: {"refresh_token":"${token}"} Bearer ${[...issued][0]}`), {
      config: { headers: { authorization: `Bearer ${token}` } },
      data: { access_token: token },
      ...(response.status === 400 && { error: 'invalid_grant' }),
      error_description: `Bearer ${token}`,
      cause: new Error(`access_token=${token}&x=1`),
    })
  }
  const auth = createAuth<User>({
    signIn: ({ username, password = 'correct' }, { signal }) =>
      throwing({ grant_type: 'password', username, password }, signal),
    refresh: ({ refreshToken = '', signal }) =>
      throwing({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    retry: { attempts: 2, minDelay: 1, jitter: 0 },
  })
  const { port1, port2 } = new MessageChannel()
  const said: unknown[] = []
  port1.addEventListener('message', ({ data }) => said.push(data))
  const stop = serveAuth(auth, { port: port2, origins: [server.origin], fetch: server.fetch })
  const page = connectAuth<User>(port1)
  onTestFinished(() => {
    page.dispose()
    stop()
    auth.dispose()
    port1.close()
  })
  return {
    server,
    auth,
    page,
    said,
    issued,
    issue: (subject: string) => {
      const tokens = server.issue(subject)
      for (const token of [tokens.access_token, tokens.refresh_token]) issued.add(token)
      return tokens
    },
  }
}

describe('what a page is told', () => {
  it('holds no token, whatever happens', async () => {
    const { server, auth, page, said, issued, issue } = await recorded()
    const api = createAuthFetch(page, { origins: [server.origin] })
    const ask = async () => (await api(`${server.origin}/api/me`)).text()
    await page.signIn({ username: 'ada' })
    await ask()
    await page.refresh()
    server.expireAccessTokens()
    await Promise.all([ask(), ask(), ask()])
    await page.signIn({ username: 'ada', password: 'wrong' }).catch(() => {})
    server.failNext(2, { status: 500 })
    await page.refresh().catch(() => {})
    await page.setTokens(issue('bob'))
    await ask()
    await page.signOut()
    await page.signIn({ username: 'ada' })
    server.killRefreshTokens()
    server.expireAccessTokens()
    await ask().catch(() => {})
    expect(page.state).toBe('expired')
    await page.setTokens({ access_token: '' }).catch(() => {})
    await page.ready()

    expect(said.length).toBeGreaterThan(30)
    expect(issued.size).toBeGreaterThan(8)
    const text = textOf(said)
    expect(text).toContain('invalid_grant')
    expect([...issued].filter((token) => text.includes(token))).toEqual([])
    // And it would have been seen.
    await auth.setTokens(issue('eve'))
    expect(textOf([await auth.getAccessToken()])).toContain([...issued].at(-2))
  })

  it('is nothing where it says garbage, or nothing it should', async () => {
    const auth = createAuth({
      refresh: () => ({ access_token: 'new' }),
      initialTokens: { access_token: 'a' },
    })
    onTestFinished(() => auth.dispose())
    const { port1, port2 } = new MessageChannel()
    const said: { type: string }[] = []
    port1.addEventListener('message', ({ data }) => said.push(data))
    port1.start()
    onTestFinished(serveAuth(auth, { port: port2, origins: ['https://api.example.com'] }))
    onTestFinished(() => port1.close())
    const say = (message: unknown) => port1.postMessage(message)
    // Before it has said who it is.
    say({ authchart: 1, page: 'me', type: 'ping' })
    say({ authchart: 1, page: 'me', type: 'call', id: 1, method: 'signOut' })
    say({ authchart: 1, page: 'me', type: 'hello' })
    for (const garbage of [
      null,
      'hello',
      7,
      {},
      [],
      { authchart: 1, page: 'me' },
      { authchart: 1, page: 'me', type: 'nothing' },
      { authchart: 1, page: 'me', type: 'constructor' },
      { authchart: 1, type: 'hello', page: undefined },
      { authchart: 1, page: 'me', type: 'request', id: 1, request: null },
      { authchart: 1, page: 'me', type: 'call', id: 2, method: 'getAccessToken' },
      { authchart: 1, page: 'me', type: 'call', id: 3, method: 'dispose' },
      { authchart: 1, page: 'me', type: 'call', id: 4, method: '__proto__' },
      { authchart: 1, page: 'me', type: 'event', event: 'session.adopt' },
      { authchart: 1, page: 'me', type: 'event', event: 'request.unauthorized' },
      { authchart: 1, page: 'me', type: 'abort', id: 99 },
      { authchart: 1, page: 'me', type: 'pull', id: 99, count: 1 },
      { authchart: 1, page: 'me', type: 'chunk', id: 99, bytes: {} },
    ])
      say(garbage)
    say({ authchart: 2, type: 'hello', page: 'me' })
    say({ authchart: 1, page: 'me', type: 'ping' })
    await expect.poll(() => said.at(-1)?.type).toBe('pong')
    expect(said.map(({ type }) => type).filter((type) => type !== 'alive')).toEqual([
      'welcome',
      'refused',
      'pong',
    ])
    expect(auth.state).toBe('authenticated')
  })

  it('is that its version is another one, where it is', async () => {
    const { port1, port2 } = new MessageChannel()
    port2.addEventListener('message', () => port2.postMessage({ authchart: 2, type: 'welcome' }))
    port2.start()
    const page = connectAuth(port1)
    onTestFinished(() => {
      page.dispose()
      port1.close()
    })
    await expect(page.ready()).rejects.toMatchObject({ code: 'worker_failed', reason: 'version' })
  })
})

describe('two pages at one port', () => {
  it('each get their own answers, and the late ones of the first are not taken for the second’s', async () => {
    const server = createTokenServer()
    const { url, close } = await server.listen()
    onTestFinished(close)
    const auth = createAuth({ refresh: () => ({}), initialTokens: server.issue() }) as Auth
    const { port1, port2 } = new MessageChannel()
    const stop = serveAuth(auth, { port: port2, origins: [url] })
    const first = connectAuth(port1)
    const slow = server.holdApiNext(({ path }) => path === '/api/first')
    const asked = createAuthFetch(first, { origins: [url] })(`${url}/api/first`)
    await slow.arrived
    const second = connectAuth(port1)
    onTestFinished(() => {
      second.dispose()
      stop()
      auth.dispose()
      port1.close()
    })
    const api = createAuthFetch(second, { origins: [url] })
    expect(await (await api(`${url}/api/second`)).json()).toMatchObject({ path: '/api/second' })
    slow.answer()
    expect(await (await asked).json()).toMatchObject({ path: '/api/first' })
    // Its answer is under way when it goes.
    const late = createAuthFetch(first, { origins: [url] })(`${url}/api/late`)
    await server.whenRequest(({ path }) => path === '/api/late')
    first.dispose()
    await expect(late).rejects.toMatchObject({ code: 'disposed' })
    expect(await (await api(`${url}/api/third`)).json()).toMatchObject({ path: '/api/third' })
  })
})

describe('what a worker is asked by a page that may not', () => {
  it('goes where the worker allows, whatever the page says', async () => {
    const server = createTokenServer()
    const { url, close } = await server.listen()
    onTestFinished(close)
    const auth = createAuth({ refresh: () => ({}), initialTokens: server.issue() })
    onTestFinished(() => auth.dispose())
    const page: Auth = connected(auth as Auth, { origins: ['https://elsewhere.example.com'] })
    const response = await createAuthFetch(page, { origins: [url] })(`${url}/api/me`)
    expect(response.status).toBe(401)
    expect(server.log.map(({ authorization }) => authorization)).toEqual([undefined])
  })
})
