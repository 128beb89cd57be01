import { createServer as createHttpServer } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type Connection, type ConnectionRetry, keepConnected } from '../../src/bindings/realtime.ts'
import { type Auth, createAuth } from '../../src/index.ts'
import { createHarness, fakeEnvironment, tokens } from '../core/auth-setup.ts'
import { answer, setUp } from './realtime-harness.ts'

/** The package ws. It has no types, and what the tests use of it is that of a WebSocket and an EventEmitter. */
const { WebSocket } = createRequire(import.meta.url)('ws') as {
  readonly WebSocket: new (
    url: string,
    protocols: string[],
  ) => Connection & Pick<NodeJS.EventEmitter, 'emit' | 'listenerCount'>
}

describe('after failures, keepConnected', () => {
  it('doubles its delay up to a limit, and resets it once a connection has lasted', async () => {
    const { clock, delays, open, drop } = setUp({
      retry: { minDelay: 100, maxDelay: 400, stableAfter: 5_000 },
    })
    for (let n = 0; n < 5; n++) {
      await clock.advance(400)
      await drop()
    }
    expect(delays()).toEqual([100, 200, 400, 400, 400])
    await clock.advance(400)
    await clock.advance(5_000)
    await drop()
    expect(delays().at(-1)).toBe(100)
    await clock.advance(99)
    expect(open()).toEqual([])
    await clock.advance(1)
    expect(open()).toEqual(['SECRET-at-1'])
  })

  it('randomizes a part of each delay', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => random.mockRestore())
    const { clock, delays, drop } = setUp({ retry: { minDelay: 1_000, jitter: 0.5 } })
    await clock.advance(0)
    await drop()
    expect(delays()).toEqual([750])
  })

  it.each<[what: string, open: () => never | Promise<unknown>, cause: unknown]>([
    [
      'throws',
      () => {
        throw new RangeError('no')
      },
      expect.any(RangeError),
    ],
    ['rejects', () => Promise.reject(new Response(null, { status: 503 })), { status: 503 }],
    ['resolves at once', () => Promise.resolve('over'), undefined],
  ])('retries if open %s', async (_, open, cause) => {
    const { auth, clock } = createHarness()
    const retries: ConnectionRetry[] = []
    const stop = keepConnected(auth, open, {
      clock,
      environment: fakeEnvironment().environment,
      onRetry: (retry) => retries.push(retry),
      retry: { jitter: 0 },
    })
    await clock.advance(1_000)
    expect(retries).toMatchObject([
      { attempt: 1, delay: 1_000 },
      { attempt: 2, delay: 2_000 },
    ])
    if (cause === undefined) expect(retries[0]?.cause).toBeUndefined()
    else expect(retries[0]?.cause).toMatchObject(cause as object)
    stop()
  })

  it('resets its delay for another user, and stops waiting after a sign-out', async () => {
    const { auth, clock, lines, delays, open, drop } = setUp()
    for (let n = 0; n < 3; n++) {
      await clock.advance(5_000)
      await drop()
    }
    await auth.signOut()
    const before = lines.length
    await clock.advance(60_000)
    expect(lines).toHaveLength(before)
    expect(clock.pending).toBe(0)
    await auth.setTokens(tokens(2, { subject: 'grace' }))
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-2'])
    await drop()
    expect(delays().at(-1)).toBe(1_000)
  })

  it('retries at once when the network returns or the page becomes visible', async () => {
    const { clock, lines, open, outside, drop } = setUp({ retry: { minDelay: 30_000 } })
    await clock.advance(0)
    for (const signal of ['online', 'visible', 'wake'] as const) {
      await drop()
      await clock.advance(0)
      expect(open()).toEqual([])
      outside.signal(signal)
      await clock.advance(0)
      expect(open()).toEqual(['SECRET-at-1'])
    }
    outside.signal('visible')
    await clock.advance(0)
    expect(lines).toHaveLength(4)
  })

  it('connects although the machine says that it is offline, and retries rarely', async () => {
    const { auth, clock } = createHarness()
    const outside = fakeEnvironment()
    outside.online = false
    let opened = 0
    const open = () => {
      opened++
      return Promise.reject(new Error('down'))
    }
    const stop = keepConnected(auth, open, { clock, environment: outside.environment })
    await clock.advance(0)
    expect(opened).toBe(1)
    await clock.advance(29_999)
    expect(opened).toBe(1)
    await clock.advance(1)
    expect(opened).toBe(2)
    stop()
  })

  it('retries at once when the network is back', async () => {
    const { clock, lines, open, outside, drop } = setUp()
    await clock.advance(0)
    outside.online = false
    await drop()
    await clock.advance(29_999)
    expect(lines).toHaveLength(1)
    outside.signal('online')
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-1'])
  })

  it('keeps retrying while a refresh fails', async () => {
    const session = setUp(
      {},
      {
        refreshOn: 'demand',
        initialTokens: tokens(1, { expires_in: 1, subject: 'ada' }),
        retry: { attempts: 1 },
      },
    )
    const { clock, refresh, retries, open, drop } = session
    await clock.advance(1_500)
    await drop()
    await clock.advance(1_000)
    refresh.call().reject(new Response(null, { status: 503 }))
    await clock.advance(0)
    expect(retries.at(-1)).toMatchObject({ attempt: 2, cause: { name: 'RefreshUnavailableError' } })
    await clock.advance(2_000)
    await answer(session, 2)
    expect(open()).toEqual(['SECRET-at-2'])
  })
})

describe('keepConnected with the package ws, in a process that ends at an unhandled error', () => {
  const never = createServer(() => {})
  const refusing = (status: string) =>
    createHttpServer().on('upgrade', (_, socket) =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`),
    )

  it.each([
    ['the upgrade is answered with 503', refusing('503 Service Unavailable'), async () => {}],
    ['it is stopped while it connects', never, async ({ stop }: Live) => stop()],
    ['the token is refreshed while it connects', never, ({ auth }: Live) => auth.refresh()],
    ['the user signs out while it connects', never, ({ auth }: Live) => auth.signOut()],
  ])('survives if %s', async (_, server, act) => {
    const { live, unhandled, ended } = await connectBy(server)
    await act(live)
    await ended()
    expect(unhandled).toEqual([])
  })

  it('requests one new token if the upgrade is answered with 401', async () => {
    const { ended, live, refreshes } = await connectBy(refusing('401 Unauthorized'))
    await ended()
    await ended()
    expect(refreshes()).toBe(1)
    live.stop()
  })

  interface Live {
    readonly auth: Auth
    readonly stop: () => void
  }

  async function connectBy(server: Server) {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const unhandled: unknown[] = []
    let refreshes = 0
    let ends = 0
    let onEnd = () => {}
    const auth = createAuth({
      initialTokens: tokens(1),
      refresh: () => tokens(2 + refreshes++),
    })
    const stop = keepConnected(
      auth,
      ({ accessToken }) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}`, ['bearer', accessToken])
        const { emit } = socket
        socket.emit = ((type: string, ...rest: unknown[]) => {
          if (type === 'error' && socket.listenerCount('error') === 0) return unhandled.push(rest[0]) > 0
          const isHandled = emit.call(socket, type, ...rest)
          if (type === 'close') {
            ends++
            onEnd()
          }
          return isHandled
        }) as typeof emit
        return socket
      },
      { retry: { minDelay: 1, maxDelay: 50 } },
    )
    onTestFinished(() => {
      stop()
      auth.dispose()
      server.close()
    })
    await vi.waitFor(() => expect(auth.state).toBe('authenticated'))
    let seen = 0
    const ended = async () => {
      const least = ++seen
      while (ends < least)
        await new Promise<void>((resolve) => {
          onEnd = resolve
        })
    }
    return { live: { auth, stop } as Live, unhandled, ended, refreshes: () => refreshes }
  }
})

describe('after the server has rejected the token, keepConnected', () => {
  it('requests a new token, and connects with it at once', async () => {
    const session = setUp()
    const { clock, refresh, open, drop } = session
    await clock.advance(0)
    await drop(3000)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    await answer(session, 2)
    expect(open()).toEqual(['SECRET-at-2'])
  })

  it('requests no third token if the second is rejected too, until a connection has lasted', async () => {
    const session = setUp()
    const { clock, refresh, delays, drop } = session
    await clock.advance(0)
    await drop(3000)
    await clock.advance(0)
    await answer(session, 2)
    for (let n = 0; n < 3; n++) {
      await drop(3000)
      await clock.advance(delays().at(-1) ?? 0)
    }
    expect(refresh.calls).toHaveLength(1)
    expect(delays()).toEqual([1_000, 2_000, 4_000, 8_000])
    await clock.advance(10_000)
    await drop(3000)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
  })

  it('detects the rejection by the status 401, or by isChallenge', async () => {
    const refusals = [
      new Response(null, { status: 401 }),
      { response: { status: 401 } },
      { code: 401 },
      new Error('Unexpected server response: 401'),
    ]
    for (const refusal of refusals) {
      const { auth, clock, refresh } = createHarness()
      const stop = keepConnected(auth, () => Promise.reject(refusal), { clock })
      await clock.advance(0)
      expect(refresh.calls).toHaveLength(1)
      stop()
    }
    const session = setUp({ isChallenge: (cause) => (cause as CloseEvent).code === 4401 })
    await session.clock.advance(0)
    await session.drop(3000)
    await session.clock.advance(1_000)
    expect(session.refresh.calls).toHaveLength(0)
    await session.drop(4401)
    await session.clock.advance(0)
    expect(session.refresh.calls).toHaveLength(1)
  })
})
