import { describe, expect, test, vi } from 'vitest'
import type {
  IssuedTokens,
  TokenServer,
  TokenServerOptions,
} from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { start, tokensOf } from './token-server-setup.ts'

const serve = (options?: TokenServerOptions) => {
  const server = createTokenServer(options)
  const tokens = server.issue()
  const refresh = (init?: RequestInit) => refreshWith(server, tokens, init)
  const api = (path: string, init?: RequestInit) =>
    server.fetch(path, { headers: { authorization: `Bearer ${tokens.access_token}` }, ...init })
  return { server, tokens, refresh, api }
}

const refreshWith = (server: TokenServer, { refresh_token }: IssuedTokens, init?: RequestInit) =>
  server.fetch('/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token }),
    ...init,
  })

/** Lets every promise job and every callback of the network be done. */
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a held token request', () => {
  test('waits, fully received, until it is answered, and acts within that call', async () => {
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
  ] as const)('can %s with %j, without acting', async (_, failure, status, text) => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const reply = refresh()
    await held.arrived
    held.fail(failure)
    expect([(await reply).status, await (await reply).text()]).toEqual([status, text])
    expect(server.refreshes).toBe(0)
  })

  test('can be dropped before it acts, or after', async () => {
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

  test('can get an answer that is none', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const reply = refresh()
    await held.arrived
    held.malform('html')
    expect(await (await reply).text()).toMatch(/^<!doctype/)
    expect(server.refreshes).toBe(0)
  })

  test('acts although its client has gone', async () => {
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

  test('goes at once where its fate was settled before it came', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    held.fail({ status: 503 })
    expect((await refresh()).status).toBe(503)
    expect(await held.arrived).toMatchObject({ status: 503 })
  })

  test('is let go once', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext()
    const reply = refresh()
    await held.arrived
    held.answer()
    expect(() => held.drop()).toThrow(/let go before/)
    await tokensOf(reply)
    expect(server.refreshes).toBe(1)
  })

  test('takes its place in the queue of faults', async () => {
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

  test('may be several that share one fate, in order of arrival', async () => {
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

  test('arrives when the delay of all token requests is over', async () => {
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

  test('works over real HTTP, where dropping it destroys the socket', async () => {
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
  test('is answered by the checks made when it arrived', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    expect(await held.arrived).toMatchObject({ path: '/api/report', generation: 1, status: 0 })
    server.expireAccessTokens()
    held.answer()
    expect((await reply).status).toBe(200)
    expect(server.expiredTokenUses).toBe(0)
  })

  test('is refused late where the checks are made when it is let go', async () => {
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

  test('is refused at its release for what was wrong at its arrival', async () => {
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

  test('can be refused with a good token', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext()
    const reply = api('/api/report')
    await held.arrived
    held.refuse()
    expect((await reply).headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(server.expiredTokenUses).toBe(0)
  })

  test('can be dropped before its handler runs, or after', async () => {
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

  test('is the first one that matches, and others pass', async () => {
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

  test('hears of an assertion that fails in its predicate, and the request does not', async () => {
    const { server, api } = serve()
    const held = server.holdApiNext(() => {
      throw new Error('not this one')
    })
    expect((await api('/api/a')).status).toBe(200)
    await expect(held.arrived).rejects.toThrow('not this one')
    expect(server.pendingScripts).toBe(0)
  })

  test('goes at once where its fate was settled before it came', async () => {
    const { server, api } = serve()
    server.holdApiNext().refuse()
    expect((await api('/api/a')).status).toBe(401)
    expect((await api('/api/a')).status).toBe(200)
  })

  test('takes no fault of the token endpoint, nor the other way round', async () => {
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

describe('the end of what is held', () => {
  test('comes when the server closes', async () => {
    const { server, refresh, api, close } = await start()
    const { access_token, refresh_token } = server.issue()
    const held = server.holdNext()
    const heldApi = server.holdApiNext()
    const rejected = [refresh(refresh_token), api('/api/a', access_token)].map((reply) =>
      expect(reply).rejects.toThrow(TypeError),
    )
    await Promise.all([held.arrived, heldApi.arrived])
    await close()
    await Promise.all(rejected)
    expect(() => held.answer()).toThrow(/closed/)
    expect(() => heldApi.answer()).toThrow(/closed/)
    expect(server.refreshes).toBe(0)
  })

  test('comes when the server is reset, for those who wait and for those who wait for them', async () => {
    const { server, refresh, api } = serve()
    const held = server.holdNext()
    const never = server.holdNext()
    const heldApi = server.holdApiNext()
    const neverApi = server.holdApiNext()
    const replies = [refresh(), api('/api/a')]
    const rejected = replies.map((reply) => expect(reply).rejects.toThrow(TypeError))
    await Promise.all([held.arrived, heldApi.arrived])
    server.reset()
    await Promise.all(rejected)
    await expect(never.arrived).rejects.toThrow(/cleared/)
    await expect(neverApi.arrived).rejects.toThrow(/cleared/)
    for (const { drop } of [held, never, heldApi, neverApi]) expect(drop).toThrow(/reset/)
    await tokensOf(refresh())
  })

  test('does not come for requests that wait when the scripts are cleared', async () => {
    const { server, refresh } = serve()
    const held = server.holdNext(2)
    const reply = refresh()
    await turn()
    server.clearScripts()
    await expect(held.arrived).rejects.toThrow(/cleared/)
    held.answer()
    await tokensOf(reply)
    expect(server.pendingScripts).toBe(0)
  })

  test('leaves no rejection behind where nobody waited for the request that did not come', async () => {
    const { server } = serve()
    server.holdNext()
    server.holdApiNext()
    server.clearScripts()
    // Vitest fails a run with a rejection that nobody handled.
    await turn()
    expect(server.pendingScripts).toBe(0)
  })

  test('does not come for one listener when another is closed, even twice', async () => {
    const { server, refresh } = await start()
    const { refresh_token } = server.issue()
    const other = await server.listen()
    const held = server.holdNext()
    const reply = refresh(refresh_token)
    await held.arrived
    await Promise.all([other.close(), other.close()])
    held.answer()
    await tokensOf(reply)
  })

  test('leaves the other of two that were expected to wait on its own', async () => {
    const { server, refresh, tokens } = serve()
    const listening = await server.listen()
    const held = server.holdNext(2)
    const first = expect(refresh()).rejects.toThrow(TypeError)
    await turn()
    await listening.close()
    await first
    const second = refreshWith(server, tokens)
    await held.arrived
    held.answer()
    await tokensOf(second)
  })
})
