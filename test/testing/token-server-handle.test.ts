import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { refreshRequest, startSession } from './token-server-setup.ts'

describe('without a socket', () => {
  test('handle gives the same answers as the listening server', async () => {
    const { handle, issue } = createTokenServer()
    const reply = await handle(refreshRequest(issue()))
    expect(await reply.json()).toMatchObject({ expires_in: 3600 })
  })

  test('handle rejects with a TypeError if the connection drops', async () => {
    const server = createTokenServer()
    const tokens = server.issue()
    server.dropNext(1)
    server.dropAnswerNext(1)
    for (const refreshes of [0, 1]) {
      await expect(server.handle(refreshRequest(tokens))).rejects.toThrow(TypeError)
      expect(server.refreshes).toBe(refreshes)
    }
  })

  test('an aborted hanging request rejects with the abort reason', async () => {
    const server = createTokenServer()
    server.hangNext(1)
    const controller = new AbortController()
    const arrival = server.whenRequest(() => true)
    const hanging = server.handle(refreshRequest(server.issue(), controller.signal))
    const reason = new Error('cancelled by the user')
    const rejected = expect(hanging).rejects.toBe(reason)
    await arrival
    controller.abort(reason)
    await rejected
  })

  test('an abort while the body is read rejects immediately', async () => {
    const server = createTokenServer()
    server.hangNext(1)
    const controller = new AbortController()
    const rejected = expect(server.handle(refreshRequest(server.issue(), controller.signal))).rejects.toThrow(
      /aborted/,
    )
    controller.abort()
    await rejected
  })

  test('HEAD answers have no body', async () => {
    const { handle } = createTokenServer()
    const reply = await handle(new Request('http://test/public', { method: 'HEAD' }))
    expect([reply.status, reply.body]).toEqual([200, null])
  })

  test('a request aborted beforehand never arrives', async () => {
    const server = createTokenServer()
    const request = new Request('http://test/public', { signal: AbortSignal.abort() })
    await expect(server.handle(request)).rejects.toThrow()
    expect(server.log).toEqual([])
  })

  test('closing the server ends hanging and delayed requests and leaves no timers', async () => {
    const { server, close, tokens } = await startSession()
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    server.hangNext(1)
    server.delayNext(60_000)
    const rejected = [1, 2].map(() =>
      expect(server.handle(refreshRequest(tokens))).rejects.toThrow(TypeError),
    )
    await expect.poll(() => server.tokenRequests).toBe(2)
    expect(vi.getTimerCount()).toBe(1)
    await close()
    await Promise.all(rejected)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('two listeners share one server, and closing one does not affect the other', async () => {
    const { server, url, close, refresh } = await startSession()
    const second = await server.listen()
    onTestFinished(second.close)
    expect(second.url).not.toBe(url)
    const arrival = server.whenRequest(() => true)
    server.delayNext(30)
    const reply = refresh()
    await arrival
    await second.close()
    expect((await reply).status).toBe(200)
    await close()
    await expect(fetch(url)).rejects.toThrow(TypeError)
  })
})
