import { getEventListeners, setMaxListeners } from 'node:events'
import axios from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { nextEvent, setUp, type TestAuth } from '../conformance/harness.ts'
import { closeGate } from './support.ts'

type Get = (path: string, signal: AbortSignal) => Promise<unknown>

/** Node's `fetch` keeps a listener on the signal until it is garbage-collected. Without the signal only ours are counted. */
const deaf: typeof fetch = (input, init) => {
  const { signal: _, ...rest } = init ?? {}
  return fetch(input, rest)
}

const clients: readonly (readonly [name: string, make: (auth: TestAuth, url: string) => Get])[] = [
  [
    'fetch',
    (auth, url) => {
      const send = createAuthFetch(auth, { origins: [url], fetch: deaf })
      return async (path, signal) => (await send(url + path, { signal })).text()
    },
  ],
  [
    'ofetch',
    (auth, url) => {
      const send = createAuthOfetch(auth, { defaults: { baseURL: url }, fetch: deaf })
      return (path, signal) => send(path, { signal })
    },
  ],
  ...(['http', 'fetch'] as const).map(
    (adapter) =>
      [
        `axios (${adapter} adapter)`,
        (auth: TestAuth, url: string): Get => {
          const instance = axios.create({ baseURL: url, adapter, proxy: false })
          attachAuth(instance, auth)
          return (path, signal) => instance.get(path, { signal })
        },
      ] as const,
  ),
]

const listenersOf = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

describe.each(clients)('%s: a signal that outlives its requests', (_, make) => {
  test('a signal has no listener after hundreds of requests, held or not', async () => {
    const { url, auth, open, first } = await closeGate()
    const get = make(auth, url)
    const { signal } = new AbortController()
    setMaxListeners(0, signal)
    const held = Array.from({ length: 150 }, (_, index) => get(`/api/${index}`, signal))
    await nextEvent(auth, 'requestHeld')
    // All held requests share one listener, because Node reports the eleventh as a leak.
    expect(listenersOf(signal)).toBe(1)

    open()
    await Promise.all(held)
    await Promise.all(Array.from({ length: 150 }, (_, index) => get(`/api/${index}`, signal)))
    await first

    expect(listenersOf(signal)).toBe(0)
  })

  test('a signal has no listener after requests that were held twice, got a 401, or were rejected', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const get = make(auth, url)
    const { signal } = new AbortController()

    server.expireAccessTokens()
    await get('/api/replayed', signal)
    await get('/api/always-401', signal).catch(() => {})
    server.expireAccessTokens()
    server.killRefreshTokens()
    await expect(get('/api/expired', signal)).rejects.toMatchObject({ code: 'session_expired' })
    await expect(get('/api/refused', signal)).rejects.toMatchObject({ code: 'session_expired' })

    expect(listenersOf(signal)).toBe(0)
  })
})

describe.each(['http', 'fetch'] as const)(
  'axios (%s adapter): a cancel token that outlives its requests',
  (adapter) => {
    test('a cancel token has no listener after its requests', async () => {
      const { url, auth, open, first } = await closeGate()
      const instance = axios.create({ baseURL: url, adapter, proxy: false })
      attachAuth(instance, auth)
      const { token } = axios.CancelToken.source()
      const listeners = () => (token as unknown as { _listeners?: unknown[] })._listeners?.length ?? 0
      const held = Array.from({ length: 20 }, (_, index) =>
        instance.get(`/api/${index}`, { cancelToken: token }),
      )
      await nextEvent(auth, 'requestHeld')
      expect(listeners()).toBeGreaterThanOrEqual(20)

      open()
      await Promise.all([first, ...held])
      await instance.get('/api/more', { cancelToken: token })
      await new Promise((resolve) => setImmediate(resolve))

      expect(listeners()).toBe(0)
    })
  },
)
