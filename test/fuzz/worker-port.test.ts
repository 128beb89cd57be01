import { expect } from 'vitest'
import { createAuth, WorkerError } from '../../src/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { connectAuth, serveAuth } from '../../src/worker/index.ts'
import { PROTOCOL } from '../../src/worker/protocol.ts'
import fc from '../support/property.ts'
import { clonable, likely } from './clonable.ts'
import { fuzz, settled } from './fuzz.ts'

const API = 'https://api.example.com'

/** Ids of what waits, and others: but not those of what is checked at the end, which a forged answer may delay. */
const id = fc.oneof(fc.integer({ max: 4 }), fc.integer({ min: 100 }), fc.double({ max: 4 }))
const text = fc.string({ maxLength: 8 })
const pairs = fc.array(fc.tuple(fc.constantFrom('accept', 'x-a', ':', ''), text), { maxLength: 3 })
const bytes = fc.uint8Array({ maxLength: 32 })

/** What a page says, without what ends the session as it may: a sign-out, and tokens of its own. */
const toWorker = likely({
  authchart: fc.constant(PROTOCOL),
  page: fc.constantFrom('one', 'two'),
  type: fc.constantFrom(
    ...['hello', 'alive', 'goodbye', 'ping', 'call', 'event', 'environment', 'request', 'abort'],
    ...['chunk', 'end', 'pull', 'request', 'request', 'hello', 'constructor', '__proto__'],
  ),
  id,
  seen: id,
  lock: text,
  returns: fc.boolean(),
  method: fc.constantFrom('ready', 'signIn', 'refresh', 'dispose', 'constructor'),
  argument: clonable,
  event: fc.constantFrom('session.refresh', 'tokens.received', 'xstate.stop', 'clock.check', 'toString'),
  signal: fc.constantFrom('online', 'visible', 'wake', 'constructor', '__proto__'),
  request: likely({
    url: fc.constantFrom(
      `${API}/me`,
      `${API}/hangs`,
      `${API}/stream`,
      'https://evil.example.net/',
      '/me',
      '',
    ),
    headers: pairs,
    method: fc.constantFrom('GET', 'POST', 'CONNECT', 'a b'),
    mode: fc.constantFrom('cors', 'navigate'),
    cache: fc.constantFrom('default', 'only-if-cached'),
    referrer: text,
  }),
  body: bytes.map((part) => part.buffer),
  streams: fc.boolean(),
  bytes,
  count: fc.oneof(fc.integer({ min: -1, max: 9 }), fc.constant(Number.POSITIVE_INFINITY)),
})

/** What a worker says, without that it has ended. */
const toPage = likely({
  authchart: fc.constant(PROTOCOL),
  type: fc.constantFrom(
    ...[
      'welcome',
      'alive',
      'pong',
      'garbled',
      'unknown',
      'step',
      'reply',
      'failed',
      'answer',
      'broken',
      'cancel',
    ],
    ...['chunk', 'end', 'pull', 'answer', 'chunk', 'refused', 'constructor'],
  ),
  id,
  lock: text,
  bytes,
  count: id,
  known: fc.boolean(),
  endsAt: id,
  history: fc.array(likely({ type: text, at: id })),
  step: likely({
    event: text,
    value: text,
    context: clonable,
    seen: id,
    emitted: fc.array(likely({ type: text })),
  }),
  session: likely({ generation: id, epoch: id }),
  error: likely({
    kind: fc.constantFrom('auth', 'error', 'response', 'value'),
    code: fc.constantFrom('queue_full', 'constructor', 'storage_failed'),
    name: fc.constantFrom('TypeError', 'AbortError', '__proto__'),
    fields: clonable,
    status: id,
    headers: pairs,
    statusText: text,
    body: text,
    value: clonable,
  }),
  answer: likely({
    status: fc.constantFrom(0, 101, 200, 204, 304, 404, 999),
    statusText: text,
    headers: pairs,
    url: text,
    redirected: fc.boolean(),
    kind: fc.constantFrom('basic', 'opaque'),
  }),
  hasBody: fc.boolean(),
})

/** A session whose requests are answered at once, never, or without an end. */
function serve() {
  let running = 0
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const { url } = new Request(input as string, { ...init, duplex: 'half' } as RequestInit)
    if (url.endsWith('/stream'))
      return new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(9)) }))
    if (!url.endsWith('/hangs')) return new Response('mine')
    running++
    return new Promise((_, reject) => {
      init.signal?.addEventListener('abort', () => {
        running--
        reject(new DOMException('aborted', 'AbortError'))
      })
    })
  }
  const auth = createAuth({
    refresh: () => ({ access_token: 'new' }),
    initialTokens: { access_token: 'a', subject: 'ada' },
  })
  const { port1, port2 } = new MessageChannel()
  const stop = serveAuth(auth, { port: port2, origins: [API], fetch: fetch as never })
  port1.start()
  return {
    auth,
    port: port1,
    running: () => running,
    end() {
      stop()
      auth.dispose()
      port1.close()
    },
  }
}

/** Waits until everything that was posted at a port has arrived. */
const arrived = (port: MessagePort) =>
  new Promise<void>((resolve) => {
    const onPong = ({ data }: MessageEvent) => {
      if (data.type !== 'pong' || data.page !== 'last') return
      port.removeEventListener('message', onPong)
      resolve()
    }
    port.addEventListener('message', onPong)
    for (const type of ['hello', 'ping', 'goodbye'])
      port.postMessage({ authchart: PROTOCOL, page: 'last', type, returns: false })
  })

fuzz(
  'a worker goes on, whatever a page posts',
  fc.array(fc.oneof(toWorker, clonable), { maxLength: 40 }),
  async (messages) => {
    const { auth, port, running, end } = serve()
    try {
      port.postMessage({ authchart: PROTOCOL, page: 'one', type: 'hello' })
      for (const message of messages) port.postMessage(message)
      for (const page of ['one', 'two'])
        port.postMessage({ authchart: PROTOCOL, page, type: 'goodbye', returns: false })
      await settled('the pong', arrived(port))
      await new Promise((resolve) => setImmediate(resolve))
      expect(running(), 'requests of pages that are gone').toBe(0)
      expect(auth.actor.getSnapshot().status).toBe('active')
      expect(await settled('a refresh', auth.refresh())).toMatchObject({ subject: 'ada' })
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    } finally {
      end()
    }
  },
)

fuzz(
  'a page goes on or fails in words, whatever its worker posts',
  fc.array(fc.oneof(toPage, clonable), { maxLength: 40 }),
  async (messages) => {
    const { port, end } = serve()
    const { port1, port2 } = new MessageChannel()
    let name: unknown
    port2.addEventListener('message', ({ data }) => {
      name = data.page
      port.postMessage(data)
    })
    port.addEventListener('message', ({ data }) => port2.postMessage(data))
    port2.start()
    const page = connectAuth(port1, { timeout: 1_000 })
    const api = createAuthFetch(page, { origins: [API] })
    try {
      await page.ready()
      const pending = [page.refresh(), api(`${API}/me`).then((answer) => answer.text()), api(`${API}/hangs`)]
      for (const promise of pending) promise.catch(() => {})
      for (const message of messages)
        port2.postMessage(
          typeof message === 'object' && message !== null && 'authchart' in message
            ? { page: name, ...message }
            : message,
        )
      await new Promise((resolve) => setTimeout(resolve, 5))
      const next = await settled(
        'the next request',
        api(`${API}/me`).then((answer) => answer.text()),
      )
      if (next !== 'mine') expect(next).toBeInstanceOf(Error)
      expect(page.actor.getSnapshot().status).toBe('active')
      page.dispose()
      for (const outcome of await Promise.all(
        pending.map((promise, index) => settled(`call ${index}`, promise)),
      ))
        expect(outcome).toBeDefined()
      expect(await settled('a refresh after dispose()', page.refresh())).not.toBeInstanceOf(WorkerError)
    } finally {
      page.dispose()
      end()
      port1.close()
      port2.close()
    }
  },
)
