import { describe, expect, test, vi } from 'vitest'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { refreshWith, serve, turn } from './held-requests-setup.ts'
import { start, tokensOf } from './token-server-setup.ts'

describe('a held token request', () => {
  test('a held token request waits fully received, and the server acts within answer()', async () => {
    const { server, tokens, refresh } = serve()
    const held = server.holdNext()
    const answered = vi.fn()
    const reply = refresh()
    void reply.then(answered)
    const request = await held.arrived
    expect(request).toMatchObject({ path: '/token', status: 0, generation: 1 })
    expect(request.bodyText).toContain(tokens.refresh_token)
    await turn()
    expect([answered.mock.calls.length, server.refreshes]).toEqual([0, 0])
    held.answer()
    expect(server.refreshes).toBe(1)
    await tokensOf(reply)
    expect(request.status).toBe(200)
  })

  test.each([
    ['fail', undefined, 500, '{"error":"server_error"}'],
    ['fail', { status: 429, body: 'later' }, 429, 'later'],
  ] as const)(
    'a held token request can %s with %j, and the server does not act',
    async (_, failure, status, text) => {
      const { server, refresh } = serve()
      const held = server.holdNext()
      const reply = refresh()
      await held.arrived
      held.fail(failure)
      expect([(await reply).status, await (await reply).text()]).toEqual([status, text])
      expect(server.refreshes).toBe(0)
    },
  )

  test('a held token request can be dropped before or after the server acts', async () => {
    const { server, refresh } = serve()
    for (const [how, refreshes] of [
      ['drop', 0],
      ['dropAnswer', 1],
    ] as const) {
      const held = server.holdNext()
      const reply = refresh()
      await held.arrived
      held[how]()
      expect(server.refreshes).toBe(refreshes)
      await expect(reply).rejects.toThrow(TypeError)
    }
  })

  test('a held token request can get a malformed answer', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const reply = refresh()
    await held.arrived
    held.malform('html')
    expect(await (await reply).text()).toMatch(/^<!doctype/)
    expect(server.refreshes).toBe(0)
  })

  test('the server acts on a held token request although its client has disconnected', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const controller = new AbortController()
    const gone = expect(refresh({ signal: controller.signal })).rejects.toThrow(/aborted/)
    await held.arrived
    controller.abort()
    await gone
    held.answer()
    expect(server.refreshes).toBe(1)
  })

  test('a held token request is answered immediately if its answer was decided before its arrival', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    held.fail({ status: 503 })
    expect((await refresh()).status).toBe(503)
    expect(await held.arrived).toMatchObject({ status: 503 })
  })

  test('a held token request can be released only once', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const reply = refresh()
    await held.arrived
    held.answer()
    expect(() => held.drop()).toThrow(/already released/)
    await tokensOf(reply)
    expect(server.refreshes).toBe(1)
  })

  test('a held token request has its place in the queue of faults', async () => {
    const { server, refresh } = serve()
    server.failNext(1, { status: 501 })
    const held = server.holdNext()
    server.failNext(1, { status: 502 })
    expect((await refresh()).status).toBe(501)
    const waiting = refresh()
    await held.arrived
    expect((await refresh()).status).toBe(502)
    held.answer()
    await tokensOf(waiting)
  })

  test('several held token requests get the same kind of answer, in the order of arrival', async () => {
    const { server, refresh } = serve({ reuseGrace: 60_000 })
    const other = server.issue()
    const held = server.holdNext(2)
    const arrived = vi.fn()
    void held.arrived.then(arrived)
    const first = refresh()
    await turn()
    expect(arrived).not.toHaveBeenCalled()
    const second = refreshWith(server, other)
    expect((await held.arrived).bodyText).toContain(other.refresh_token)
    held.answer()
    expect(server.refreshes).toBe(2)
    await Promise.all([tokensOf(first), tokensOf(second)])
    await tokensOf(refreshWith(server, other))
  })

  test('a held token request arrives after tokenDelay', async () => {
    const clock = createVirtualClock()
    const { server, refresh } = serve({ clock })
    server.tokenDelay = 5000
    const held = server.holdNext()
    const arrived = vi.fn()
    void held.arrived.then(arrived)
    const reply = refresh()
    await clock.advance(4999)
    expect(arrived).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(arrived).toHaveBeenCalledOnce()
    held.answer()
    await tokensOf(reply)
  })

  test('a held token request works over HTTP, and a drop destroys its socket', async () => {
    const { server, refresh } = await start()
    const { refresh_token } = server.issue()
    const held = server.holdNext()
    const dropped = expect(refresh(refresh_token)).rejects.toThrow(TypeError)
    await held.arrived
    held.dropAnswer()
    await dropped
    expect(server.refreshes).toBe(1)
  })
})

describe('a held API request', () => {
  test('a held API request is answered by the checks made at its arrival', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    expect(await held.arrived).toMatchObject({ path: '/api/report', generation: 1, status: 0 })
    server.expireAccessTokens()
    held.answer()
    expect((await reply).status).toBe(200)
    expect(server.expiredTokenUses).toBe(0)
  })

  test('a held API request gets a late 401 if the checks are made at its release', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    await held.arrived
    server.expireAccessTokens()
    expect(server.expiredTokenUses).toBe(0)
    held.answer({ check: 'release' })
    expect(server.expiredTokenUses).toBe(1)
    expect((await reply).status).toBe(401)
  })

  test('a held API request gets a 401 at its release if its token was invalid at its arrival', async () => {
    const { server, api } = serve()
    server.expireAccessTokens()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    await held.arrived
    expect(server.expiredTokenUses).toBe(0)
    held.answer()
    expect(server.expiredTokenUses).toBe(1)
    expect((await reply).status).toBe(401)
  })

  test('a held API request can get a 401 with a valid token', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    await held.arrived
    held.refuse()
    expect((await reply).headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(server.expiredTokenUses).toBe(0)
  })

  test('a held API request can be dropped before or after its handler runs', async () => {
    const handler = vi.fn(() => new Response('done'))
    const { server, api } = serve({ routes: { '/api/pay': { handler } } })
    for (const [how, calls] of [
      ['drop', 0],
      ['dropAnswer', 1],
    ] as const) {
      const held = server.holdApiNext()
      const reply = api('/api/pay', { method: 'POST' })
      await held.arrived
      expect(handler).toHaveBeenCalledTimes(0)
      held[how]()
      await expect(reply).rejects.toThrow(TypeError)
      expect(handler).toHaveBeenCalledTimes(calls)
    }
  })

  test('holdApiNext holds the first matching request and no other', async () => {
    const { server, api } = serve()
    const reports = server.holdApiNext(({ path }) => path === '/api/report')
    const any = server.holdApiNext()
    const first = api('/api/a')
    await any.arrived
    expect((await api('/api/b')).status).toBe(200)
    const report = api('/api/report')
    await reports.arrived
    any.answer()
    reports.answer()
    expect([(await first).status, (await report).status]).toEqual([200, 200])
  })

  test('an assertion that fails in the predicate of holdApiNext rejects arrived, not the request', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext(() => {
      throw new Error('not this one')
    })
    expect((await api('/api/a')).status).toBe(200)
    await expect(held.arrived).rejects.toThrow('not this one')
    expect(server.pendingScripts).toBe(0)
  })

  test('a held API request is answered immediately if its answer was decided before its arrival', async () => {
    const { server, api } = serve()
    server.holdApiNext().refuse()
    expect((await api('/api/a')).status).toBe(401)
    expect((await api('/api/a')).status).toBe(200)
  })

  test('holds of the API and faults of the token endpoint do not affect each other', async () => {
    const { server, api, refresh } = serve()
    const heldApi = server.holdApiNext()
    await tokensOf(refresh())
    const held = server.holdNext()
    const report = api('/api/a')
    await heldApi.arrived
    expect(server.pendingScripts).toBe(1)
    heldApi.answer()
    held.answer()
    expect((await report).status).toBe(200)
  })
})
