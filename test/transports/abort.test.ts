import { setMaxListeners } from 'node:events'
import axios, { CanceledError } from 'axios'
import { describe, expect, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { nextEvent, outcomes, setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { closeGate, deferred, to } from './support.ts'

const reason = () => new DOMException('The user has left the page', 'AbortError')

describe.each(transports)('$name: AbortSignal', ({ create, isAbort }) => {
  test('a signal aborted before the call rejects it and sends nothing', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })
    const why = reason()

    const error = await client.get('/api/a', { signal: AbortSignal.abort(why) }).catch((thrown) => thrown)

    expect(isAbort(error, why)).toBe(true)
    expect(server.log).toEqual([])
  })

  test('a signal aborted before the call also rejects it while other requests are held', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const why = reason()

    const error = await client.get('/api/a', { signal: AbortSignal.abort(why) }).catch((thrown) => thrown)

    expect(isAbort(error, why)).toBe(true)
    open()
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/a')).toEqual([])
  })

  test('a signal aborted in flight rejects the call as the bare client does', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })
    const controller = new AbortController()
    const why = reason()
    const arrived = server.whenRequest(({ path }) => path === '/api/slow')

    const call = client.get('/api/slow?ms=60000', { signal: controller.signal }).catch((thrown) => thrown)
    await arrived
    controller.abort(why)

    expect(isAbort(await call, why)).toBe(true)
    expect(server.tokenRequests).toBe(0)
  })

  test('a signal aborted while the request is held rejects it at once and affects nothing else', async () => {
    const { server, url, auth, open, first, refreshAborted, emitted } = await closeGate()
    const client = create(auth, { origin: url })
    const controller = new AbortController()
    const why = reason()
    const others = [client.get('/api/b'), client.post('/api/c', { n: 1 })]

    const call = client.get('/api/a', { signal: controller.signal }).catch((thrown) => thrown)
    await nextEvent(auth, 'requestHeld')
    controller.abort(why)

    // The token endpoint got no request yet, so the wait ended without it.
    expect(isAbort(await call, why)).toBe(true)
    expect(server.tokenRequests).toBe(0)
    expect(refreshAborted()).toBe(false)
    open()
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200])
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/a')).toEqual([])
    expect([server.refreshes, refreshAborted()]).toEqual([1, false])
    expect(emitted('requestRejected').map(({ count, reason }) => [count, reason])).toEqual([[1, 'aborted']])
  })

  test('a signal aborted between a 401 and the replay rejects the call, which is not sent again', async () => {
    const { server, url, signedIn, refresh } = await setUp()
    const door = deferred()
    const auth = await signedIn({ refresh: (request) => door.promise.then(() => refresh(request)) })
    const client = create(auth, { origin: url })
    const controller = new AbortController()
    const why = reason()
    server.expireAccessTokens()

    const call = client.post('/api/a', 'text', { signal: controller.signal }).catch((thrown) => thrown)
    await nextEvent(auth, 'requestHeld')
    controller.abort(why)

    expect(isAbort(await call, why)).toBe(true)
    const refreshed = nextEvent(auth, 'refreshed')
    door.resolve()
    await refreshed
    expect((await client.get('/api/next')).status).toBe(200)
    expect(to(server.log, '/api/a').map(({ status }) => status)).toEqual([401])
  })

  test('a signal rejects all held requests that it belongs to', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const controller = new AbortController()
    setMaxListeners(0, controller.signal)
    const why = reason()
    const calls = Array.from({ length: 50 }, (_, index) =>
      client.get(`/api/many/${index}`, { signal: controller.signal }),
    )
    const results = outcomes(calls)
    await nextEvent(auth, 'requestHeld')

    controller.abort(why)

    expect((await results).filter((error) => isAbort(error, why))).toHaveLength(50)
    open()
    expect((await first).status).toBe(200)
    expect(server.log.filter(({ path }) => path.startsWith('/api/many'))).toEqual([])
  })
})

describe.each(['http', 'fetch'] as const)('axios (%s adapter): cancelToken', (adapter) => {
  const instanceFor = async () => {
    const gate = await closeGate()
    const instance = axios.create({ baseURL: gate.url, adapter, proxy: false })
    attachAuth(instance, gate.auth)
    return { ...gate, instance, source: axios.CancelToken.source() }
  }

  test('a token cancelled while the request is held rejects it at once, with its message', async () => {
    const { instance, source, auth, server, open, first } = await instanceFor()

    const call = instance.get('/api/a', { cancelToken: source.token }).catch((thrown: unknown) => thrown)
    await nextEvent(auth, 'requestHeld')
    source.cancel('enough of it')

    const error = await call
    expect(error).toBeInstanceOf(CanceledError)
    expect((error as CanceledError<unknown>).message).toBe('enough of it')
    expect(server.tokenRequests).toBe(0)
    open()
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/a')).toEqual([])
  })

  test('the wait of a request with a cancel token and a signal ends with the first of them', async () => {
    const { instance, source, auth, open, first } = await instanceFor()
    const controller = new AbortController()

    const byToken = instance
      .get('/api/a', { cancelToken: source.token, signal: controller.signal })
      .catch((thrown: unknown) => thrown)
    const bySignal = instance
      .get('/api/b', { cancelToken: axios.CancelToken.source().token, signal: controller.signal })
      .catch((thrown: unknown) => thrown)
    await nextEvent(auth, 'requestHeld')
    source.cancel('token')
    const ended = await byToken
    controller.abort()

    expect([ended, await bySignal].map((error) => axios.isCancel(error))).toEqual([true, true])
    open()
    expect((await first).status).toBe(200)
  })

  test('the error of an aborted wait has the config of its request', async () => {
    const { instance, auth, open } = await instanceFor()
    const controller = new AbortController()

    const call = instance.get('/api/a', { signal: controller.signal }).catch((thrown: unknown) => thrown)
    await nextEvent(auth, 'requestHeld')
    controller.abort()

    expect(((await call) as CanceledError<unknown>).config?.url).toBe('/api/a')
    open()
  })

  test('a token that is cancelled while requests are held gives all of them its reason, which can be logged', async () => {
    const { instance, source, auth, open } = await instanceFor()

    const calls = ['/api/a', '/api/b'].map((path) =>
      instance.get(path, { cancelToken: source.token }).catch((thrown: unknown) => thrown),
    )
    await nextEvent(auth, 'requestHeld')
    source.cancel()

    const reason = source.token.reason as CanceledError<unknown> | undefined
    expect(await Promise.all(calls)).toEqual([reason, reason])
    expect(reason?.config).toBeUndefined()
    expect(JSON.stringify(reason)).toContain('CanceledError')
    open()
  })
})
