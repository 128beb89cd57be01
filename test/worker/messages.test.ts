import { describe, expect, it, onTestFinished } from 'vitest'
import { type Auth, createAuth } from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { PROTOCOL } from '../../src/worker/protocol.ts'
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

/** A session in a worker, with a record of all messages to its page. */
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
  /** Throws the worst possible error of an app: one that contains every secret. */
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
  const sent: unknown[] = []
  port1.addEventListener('message', ({ data }) => sent.push(data))
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
    sent,
    issued,
    issue: (subject: string) => {
      const tokens = server.issue(subject)
      for (const token of [tokens.access_token, tokens.refresh_token]) issued.add(token)
      return tokens
    },
  }
}

describe('the messages to a page', () => {
  it('contain no token in any phase of a session', async () => {
    const { server, auth, page, sent, issued, issue } = await recorded()
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

    expect(sent.length).toBeGreaterThan(30)
    expect(issued.size).toBeGreaterThan(8)
    const text = textOf(sent)
    expect(text).toContain('invalid_grant')
    expect([...issued].filter((token) => text.includes(token))).toEqual([])
    // The check is effective: it finds a token that is sent on purpose.
    await auth.setTokens(issue('eve'))
    expect(textOf([await auth.getAccessToken()])).toContain([...issued].at(-2))
  })

  it('are not sent in response to invalid or forbidden messages', async () => {
    const auth = createAuth({
      refresh: () => ({ access_token: 'new' }),
      initialTokens: { access_token: 'a' },
    })
    onTestFinished(() => auth.dispose())
    const { port1, port2 } = new MessageChannel()
    const sent: { type: string }[] = []
    port1.addEventListener('message', ({ data }) => sent.push(data))
    port1.start()
    onTestFinished(serveAuth(auth, { port: port2, origins: ['https://api.example.com'] }))
    onTestFinished(() => port1.close())
    const say = (message: unknown) => port1.postMessage(message)
    // Before its greeting.
    say({ authchart: PROTOCOL, page: 'me', type: 'ping' })
    say({ authchart: PROTOCOL, page: 'me', type: 'call', id: 1, method: 'signOut' })
    say({ authchart: PROTOCOL, page: 'me', type: 'hello' })
    for (const garbage of [
      null,
      'hello',
      7,
      {},
      [],
      { authchart: PROTOCOL, page: 'me' },
      { authchart: PROTOCOL, page: 'me', type: 'nothing' },
      { authchart: PROTOCOL, page: 'me', type: 'constructor' },
      { authchart: PROTOCOL, type: 'hello', page: undefined },
      { authchart: PROTOCOL, page: 'me', type: 'request', id: 1, request: null },
      { authchart: PROTOCOL, page: 'me', type: 'call', id: 2, method: 'getAccessToken' },
      { authchart: PROTOCOL, page: 'me', type: 'call', id: 3, method: 'dispose' },
      { authchart: PROTOCOL, page: 'me', type: 'call', id: 4, method: '__proto__' },
      { authchart: PROTOCOL, page: 'me', type: 'event', event: 'tokens.received' },
      { authchart: PROTOCOL, page: 'me', type: 'event', event: 'request.unauthorized' },
      { authchart: PROTOCOL, page: 'me', type: 'environment', signal: 'constructor' },
      { authchart: PROTOCOL, page: 'me', type: 'abort', id: 99 },
      { authchart: PROTOCOL, page: 'me', type: 'pull', id: 99, count: 1 },
      { authchart: PROTOCOL, page: 'me', type: 'chunk', id: 99, bytes: {} },
    ])
      say(garbage)
    say({ authchart: PROTOCOL + 1, type: 'hello', page: 'me' })
    say({ authchart: PROTOCOL, page: 'me', type: 'ping' })
    await expect.poll(() => sent.at(-1)?.type).toBe('pong')
    expect(sent.map(({ type }) => type).filter((type) => type !== 'alive')).toEqual([
      // The two before the greeting.
      ...['unknown', 'unknown', 'welcome'],
      // A call or request that cannot be read is answered all the same, so that the page does not wait for it.
      ...['failed', 'reply', 'reply', 'reply', 'failed'],
      ...['refused', 'pong'],
    ])
    expect(auth.state).toBe('authenticated')
  })

  it('report that the page uses another protocol version', async () => {
    const { port1, port2 } = new MessageChannel()
    port2.addEventListener('message', () => port2.postMessage({ authchart: PROTOCOL + 1, type: 'welcome' }))
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
  it('receive only their own responses, including late responses for the first page', async () => {
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
    // Its response is in flight when the page closes.
    const late = createAuthFetch(first, { origins: [url] })(`${url}/api/late`)
    await server.whenRequest(({ path }) => path === '/api/late')
    first.dispose()
    await expect(late).rejects.toMatchObject({ code: 'disposed' })
    expect(await (await api(`${url}/api/third`)).json()).toMatchObject({ path: '/api/third' })
  })
})

describe('a request of a malicious page', () => {
  it('is refused if the worker does not serve its origin', async () => {
    const server = createTokenServer()
    const { url, close } = await server.listen()
    onTestFinished(close)
    const auth = createAuth({ refresh: () => ({}), initialTokens: server.issue() })
    onTestFinished(() => auth.dispose())
    const page: Auth = connected(auth as Auth, { origins: ['https://elsewhere.example.com'] })
    await expect(createAuthFetch(page, { origins: [url] })(`${url}/api/me`)).rejects.toMatchObject({
      code: 'worker_failed',
      reason: 'refused',
    })
    expect(server.log).toEqual([])
  })
})
