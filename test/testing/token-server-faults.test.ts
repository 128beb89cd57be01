import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test, vi } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { startSession } from './token-server-setup.ts'

/** The error code of the socket, which `fetch` hides behind a TypeError. */
const socketError = (url: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const outgoing = httpRequest(`${url}/token`, { method: 'POST' }, () => resolve(undefined))
    outgoing.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    outgoing.end('grant_type=refresh_token')
  })

const timed = async <T>(work: Promise<T>): Promise<{ readonly value: T; readonly ms: number }> => {
  const from = performance.now()
  const value = await work
  return { value, ms: performance.now() - from }
}

describe('answers that are errors', () => {
  test('the faults are also those of a sign-in at /session', async () => {
    const server = createTokenServer()
    const body = { username: 'ada', password: 'correct' }
    const signIn = () => server.fetch('/session', { method: 'POST', body: new URLSearchParams(body) })
    server.failNext(1)
    expect([(await signIn()).status, (await signIn()).status]).toEqual([500, 200])
    const held = server.holdNext()
    const answer = signIn()
    await held.arrived
    held.answer()
    expect([(await answer).status, server.tokenRequests]).toEqual([200, 0])
  })

  test('failNext fails n requests without acting', async () => {
    const { server, refresh } = await startSession()
    server.failNext(2)
    for (const _ of [1, 2]) {
      const reply = await refresh()
      expect(reply.status).toBe(500)
      expect(await reply.json()).toEqual({ error: 'server_error' })
    }
    expect((await refresh()).status).toBe(200)
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 3, reuseDetections: 0 })
    expect(server.log.map((entry) => entry.status)).toEqual([500, 500, 200])
  })

  test.each([
    ['an object', { error: 'invalid_client' }, '{"error":"invalid_client"}', 'application/json'],
    ['a string', 'Bad gateway', 'Bad gateway', 'text/plain;charset=UTF-8'],
  ])('failNext takes %s as body, with status and headers', async (_, body, text, contentType) => {
    const { server, refresh } = await startSession()
    server.failNext(1, { status: 401, body, headers: { 'x-trace': '7' } })
    const reply = await refresh()
    expect(reply.status).toBe(401)
    expect(reply.headers.get('x-trace')).toBe('7')
    expect(reply.headers.get('content-type')).toBe(contentType)
    expect(await reply.text()).toBe(text)
  })

  test('failNext tolerates a status without a body', async () => {
    const { server, refresh } = await startSession()
    server.failNext(1, { status: 204 })
    expect((await refresh()).status).toBe(204)
  })

  test('failNext with Infinity fails all later requests', async () => {
    const { server, refresh } = await startSession()
    server.failNext(Infinity, { status: 503 })
    for (const _ of [1, 2, 3]) expect((await refresh()).status).toBe(503)
  })

  test('retryAfterNext takes seconds or a date', async () => {
    const { server, refresh } = await startSession()
    const date = 'Wed, 21 Oct 2026 07:28:00 GMT'
    server.retryAfterNext(2)
    server.retryAfterNext(date, 503)
    const first = await refresh()
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '2'])
    const second = await refresh()
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, date])
    expect(server.refreshes).toBe(0)
  })

  test.each([
    ['html', 'text/html', /^<!doctype html>/],
    ['bad-json', 'application/json', /^\{"access_token":"[^"]*$/],
    ['no-access-token', 'application/json', /^\{"token_type":"Bearer","expires_in":3600\}$/],
    ['empty', 'application/json', /^$/],
  ] as const)('malformNext(%s) answers 200 without acting', async (kind, contentType, text) => {
    const { server, refresh } = await startSession()
    server.malformNext(kind)
    const reply = await refresh()
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toBe(contentType)
    expect(await reply.text()).toMatch(text)
    expect(server.refreshes).toBe(0)
    expect((await refresh()).status).toBe(200)
  })
})

describe('no answer at all', () => {
  test('hangNext never answers and never acts until the client disconnects', async () => {
    const { server, refresh } = await startSession()
    server.hangNext(1)
    const controller = new AbortController()
    const arrival = server.whenRequest(() => true)
    const hanging = refresh({ signal: controller.signal })
    const settled = vi.fn()
    hanging.then(settled, settled)
    await arrival
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(settled).not.toHaveBeenCalled()
    controller.abort()
    await expect(hanging).rejects.toThrow(/aborted/)
    expect(server).toMatchObject({ tokenRequests: 1, refreshes: 0 })
    expect(server.log[0]?.status).toBe(0)
    expect((await refresh()).status).toBe(200)
  })

  test('a request of hangNext ends when the server closes', async () => {
    const { server, close, refresh } = await startSession()
    server.hangNext(1)
    const arrival = server.whenRequest(() => true)
    const hanging = expect(refresh()).rejects.toThrow(TypeError)
    await arrival
    await close()
    await hanging
  })

  test('dropNext destroys the connection before the server acts', async () => {
    const { server, url, refresh } = await startSession()
    server.dropNext(2)
    await expect(refresh()).rejects.toThrow(TypeError)
    expect(await socketError(url)).toBe('ECONNRESET')
    expect(server).toMatchObject({ refreshes: 0, tokenRequests: 2 })
    expect((await refresh()).status).toBe(200)
    expect(server.log.map((entry) => entry.status)).toEqual([0, 0, 200])
  })

  test('dropAnswerNext acts first, so a retry counts as reuse', async () => {
    const { server, url, tokens, refresh } = await startSession()
    server.dropAnswerNext(2)
    expect(await socketError(url)).toBe('ECONNRESET')
    await expect(refresh()).rejects.toThrow(TypeError)
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
    expect((await refresh()).status).toBe(400)
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 1 })
    expect(server.isRevoked(tokens.access_token)).toBe(true)
  })

  test('a dropped connection does not affect other requests', async () => {
    const { server, url, refresh } = await startSession()
    server.dropNext(1)
    const arrival = server.whenRequest((entry) => entry.path === '/api/slow')
    const slow = fetch(`${url}/api/slow?ms=30`)
    await arrival
    await expect(refresh()).rejects.toThrow(TypeError)
    expect((await slow).status).toBe(401)
  })
})

describe('delays', () => {
  test('delayNext waits before the server acts', async () => {
    const { server, refresh } = await startSession()
    server.delayNext(40)
    const arrival = server.whenRequest(() => true)
    const reply = timed(refresh())
    await arrival
    expect(server.refreshes).toBe(0)
    const { value, ms } = await reply
    expect(value.status).toBe(200)
    expect(ms).toBeGreaterThanOrEqual(38)
    expect(server.refreshes).toBe(1)
  })

  test('delayAnswerNext waits after the server has acted', async () => {
    const { server, refresh } = await startSession()
    server.delayAnswerNext(40)
    const arrival = server.whenRequest(() => true)
    const reply = timed(refresh())
    await arrival
    expect(server.refreshes).toBe(1)
    const { value, ms } = await reply
    expect(value.status).toBe(200)
    expect(ms).toBeGreaterThanOrEqual(38)
  })

  test('the server acts after the delay even if the client has disconnected', async () => {
    const { server, refresh } = await startSession()
    server.delayNext(30)
    const controller = new AbortController()
    const arrival = server.whenRequest(() => true)
    const aborted = expect(refresh({ signal: controller.signal })).rejects.toThrow(/aborted/)
    await arrival
    expect(server.refreshes).toBe(0)
    controller.abort()
    await aborted
    await expect.poll(() => server.refreshes, { interval: 5 }).toBe(1)
  })

  test('tokenDelay delays every token request and no other request', async () => {
    const { server, url, refresh } = await startSession()
    server.tokenDelay = 40
    expect(server.tokenDelay).toBe(40)
    server.failNext(1)
    for (const status of [500, 200]) {
      const { value, ms } = await timed(refresh())
      expect(value.status).toBe(status)
      expect(ms).toBeGreaterThanOrEqual(38)
    }
    server.tokenDelay = 10_000
    expect((await fetch(`${url}/public`)).status).toBe(200)
  })

  test('closing the server ends pending delays', async () => {
    const { server, close, refresh } = await startSession()
    server.delayNext(60_000)
    const arrival = server.whenRequest(() => true)
    const waiting = expect(refresh()).rejects.toThrow(TypeError)
    await arrival
    const { ms } = await timed(close())
    await waiting
    expect(ms).toBeLessThan(1000)
    await close()
  })

  test('closing the server destroys sockets that have sent nothing yet', async () => {
    const { url, close } = await startSession()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const ended = once(socket, 'close')
    await once(socket, 'connect')
    // The server sees the connection only in a later turn of the event loop.
    await fetch(`${url}/public`)
    await close()
    await ended
  })
})

describe('the queue', () => {
  test('requests take the faults first in, first out, one each', async () => {
    const { server, refresh } = await startSession()
    server.retryAfterNext(1)
    server.failNext(1)
    server.failNext(0, { status: 599 })
    server.dropNext(1)
    server.malformNext('empty')
    expect((await refresh()).status).toBe(429)
    expect((await refresh()).status).toBe(500)
    await expect(refresh()).rejects.toThrow(TypeError)
    expect(await (await refresh()).text()).toBe('')
    expect(await (await refresh()).json()).toHaveProperty('access_token')
    expect(server.tokenRequests).toBe(5)
  })

  test('requests take the faults in the order of arrival, whatever the delay', async () => {
    const { server, refresh } = await startSession()
    server.failNext(1, { status: 501 })
    server.failNext(1, { status: 502 })
    const first = server.whenRequest(() => true)
    server.tokenDelay = 60
    const one = refresh()
    await first
    server.tokenDelay = 0
    const two = refresh()
    expect([(await one).status, (await two).status]).toEqual([501, 502])
  })

  test('the API and the revocation endpoint take no faults', async () => {
    const { server, url, tokens } = await startSession()
    server.failNext(1)
    const body = new URLSearchParams({ token: tokens.access_token })
    expect((await fetch(`${url}/revoke`, { method: 'POST', body })).status).toBe(200)
    expect((await fetch(`${url}/api/x`)).status).toBe(401)
    expect(server.tokenRequests).toBe(0)
  })
})
