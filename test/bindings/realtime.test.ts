import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type ConnectionRequest, keepConnected } from '../../src/bindings/realtime.ts'
import { WORKER_FETCH } from '../../src/core/auth.ts'
import {
  createHarness,
  fakeEnvironment,
  type Harness,
  LIFETIME,
  refused,
  tokens,
} from '../core/auth-setup.ts'
import { answer, Line, setUp } from './realtime-harness.ts'

describe('keepConnected', () => {
  it('opens a connection with the token', async () => {
    const { clock, lines, open } = setUp()
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-1'])
    expect(lines[0]?.request).toMatchObject({ generation: 1, signal: { aborted: false } })
  })

  it('waits while no user is signed in, and while the stored session is read', async () => {
    const session = setUp({}, { signedOut: true, initialTokens: undefined as never, silentSignIn: true })
    const { auth, clock, refresh, lines, open } = session
    await clock.advance(60_000)
    refresh.call().reject(refused())
    await clock.advance(60_000)
    expect([auth.state, lines]).toEqual(['anonymous', []])
    await auth.setTokens(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-2'])
    expect(clock.pending).toBeGreaterThan(0)
  })

  it('reconnects with a new token, and keeps the old connection until then', async () => {
    const session = setUp()
    const { auth, clock, lines, open } = session
    await clock.advance(0)
    void auth.refresh()
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-1'])
    await answer(session, 2)
    expect(open()).toEqual(['SECRET-at-2'])
    expect(lines.map(({ request, closed }) => [request.signal.aborted, closed])).toEqual([
      [true, 1],
      [false, 0],
    ])
  })

  it('keeps the connection after a refresh with renewal keep, and uses the new token for the next one', async () => {
    const session = setUp({ renewal: 'keep' })
    const { auth, clock, open, drop } = session
    await clock.advance(0)
    void auth.refresh()
    await clock.advance(0)
    await answer(session, 2)
    expect(open()).toEqual(['SECRET-at-1'])
    await drop()
    await clock.advance(1_000)
    expect(open()).toEqual(['SECRET-at-2'])
    void auth.setTokens(tokens(3, { subject: 'grace' }))
    expect(open()).toEqual([])
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-3'])
  })

  it.each<[what: string, end: (session: Harness) => unknown]>([
    ['a sign-out', ({ auth }) => void auth.signOut()],
    ['another user', ({ auth }) => void auth.setTokens(tokens(9, { subject: 'grace' }))],
    ['dispose()', ({ auth }) => auth.dispose()],
  ])('closes the connection at the moment of %s', async (_, end) => {
    const session = setUp()
    await session.clock.advance(0)
    expect(session.open()).toEqual(['SECRET-at-1'])
    end(session)
    expect(session.open()).toEqual([])
    expect(session.lines[0]?.request.signal.aborted).toBe(true)
  })

  it('closes the connection at the moment the session expires', async () => {
    const { clock, open, at } = setUp({}, { initialTokens: tokens(1, { refresh_token_expires_in: 0 }) })
    await clock.advance(LIFETIME - 1)
    expect(open()).toEqual(['SECRET-at-1'])
    await clock.advance(1)
    expect([at('expired'), open()]).toEqual([true, []])
    expect(clock.pending).toBe(0)
  })

  it('never opens a connection with the token of a previous user', async () => {
    const { auth, clock, lines } = setUp()
    // The token has been requested, but `open` has not been called yet.
    const signIn = auth.setTokens(tokens(2, { subject: 'grace' }))
    await clock.advance(0)
    await signIn
    expect(lines.map(({ request: { accessToken, generation } }) => [accessToken, generation])).toEqual([
      ['SECRET-at-2', 2],
    ])
  })

  it.each(['reconnect', 'keep'] as const)(
    'waits for the refresh of an expired token, and connects with the new one (%s)',
    async (renewal) => {
      const session = setUp(
        { renewal },
        { refreshOn: 'demand', initialTokens: tokens(1, { expires_in: 1, subject: 'ada' }) },
      )
      const { clock, lines, open, drop } = session
      await clock.advance(0)
      await clock.advance(1_500)
      await drop()
      await clock.advance(1_000)
      expect(open()).toEqual([])
      await answer(session, 2)
      expect(open()).toEqual(['SECRET-at-2'])
      expect(lines.map(({ request }) => request.generation)).toEqual([1, 2])
    },
  )
})

describe('the result of open', () => {
  const start = (open: (request: ConnectionRequest) => Promise<unknown>) => {
    const session = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const stop = keepConnected(session.auth, open, { clock: session.clock, retry: { jitter: 0 } })
    onTestFinished(stop)
    return { ...session, stop }
  }

  it('may be a promise of a connection, which is closed if it resolves too late', async () => {
    const waiting: (() => void)[] = []
    const lines: Line[] = []
    const { auth, clock } = start(async (request) => {
      await new Promise<void>((resolve) => waiting.push(resolve))
      const line = new Line(request)
      lines.push(line)
      return line
    })
    await clock.advance(0)
    await auth.setTokens(tokens(2, { subject: 'grace' }))
    await clock.advance(0)
    for (const arrive of waiting) arrive()
    await clock.advance(0)
    expect(lines.map(({ request, closed }) => [request.accessToken, closed])).toEqual([
      ['SECRET-at-1', 1],
      ['SECRET-at-2', 0],
    ])
  })

  it('may be a connection that is already closed', async () => {
    const lines: Line[] = []
    const { clock } = start(async (request) => {
      const line = new Line(request)
      lines.push(line)
      line.drop()
      return line
    })
    await clock.advance(1_000)
    expect(lines).toHaveLength(2)
  })

  it('may be a promise that lasts as long as the connection', async () => {
    const requests: ConnectionRequest[] = []
    const { auth, clock } = start(async (request) => {
      requests.push(request)
      await new Promise((_, reject) =>
        request.signal.addEventListener('abort', () => reject(request.signal.reason)),
      )
    })
    await clock.advance(0)
    await auth.setTokens(tokens(2, { subject: 'grace' }))
    await clock.advance(0)
    expect(requests.map(({ accessToken, signal }) => [accessToken, signal.aborted])).toEqual([
      ['SECRET-at-1', true],
      ['SECRET-at-2', false],
    ])
  })

  it('is closed at once if opening it ends the session', async () => {
    const { auth, clock } = createHarness()
    const lines: Line[] = []
    const stop = keepConnected(
      auth,
      (request) => {
        void auth.signOut()
        const line = new Line(request)
        lines.push(line)
        return line
      },
      { clock },
    )
    await clock.advance(60_000)
    expect(lines.map(({ closed }) => closed)).toEqual([1])
    stop()
  })
})

describe('keepConnected, after it has been stopped', () => {
  it('opens no connection if there was no token before', async () => {
    const { clock, lines, stop } = setUp()
    stop()
    await clock.advance(0)
    expect(lines).toEqual([])
  })

  it('leaves no connection, timer or listener behind in any phase', async () => {
    const moments: ((session: ReturnType<typeof setUp>) => unknown)[] = [
      () => {},
      ({ clock }) => clock.advance(0),
      async ({ clock, drop }) => {
        await clock.advance(0)
        await drop()
      },
      async ({ clock, drop }) => {
        await clock.advance(0)
        await drop(3000)
        await clock.advance(0)
      },
    ]
    for (const moment of moments) {
      const session = setUp({}, { refreshOn: 'demand' })
      await moment(session)
      const before = session.lines.length
      session.stop()
      session.stop()
      expect(session.open()).toEqual([])
      expect(session.outside.listening).toBe(0)
      await session.clock.advance(60_000)
      expect(session.lines).toHaveLength(before)
    }
  })

  it('is also stopped when the auth is disposed of', async () => {
    const { auth, clock, outside, drop } = setUp()
    await clock.advance(0)
    await drop()
    auth.dispose()
    expect([clock.pending, outside.listening]).toEqual([0, 0])
    const after = fakeEnvironment()
    keepConnected(auth, () => Promise.reject(new Error('never')), { clock, environment: after.environment })
    await clock.advance(60_000)
    expect([clock.pending, after.listening]).toEqual([0, 0])
  })
})

describe('keepConnected, used incorrectly', () => {
  it('throws a TypeError that explains the mistake', () => {
    const { auth } = createHarness()
    const open = () => Promise.resolve()
    const elsewhere = Object.assign(Object.create(auth), { [WORKER_FETCH]: fetch })
    expect(() => keepConnected(elsewhere, open)).toThrow(
      'keepConnected: the session is in a worker, which does not reveal its token.',
    )
    expect(() => keepConnected(auth, open, { renewal: 'never' as never })).toThrow(TypeError)
    expect(() => keepConnected(auth, open, { retry: { minDelay: 0 } })).toThrow(
      'keepConnected: retry.minDelay must be a number at least 1, not 0.',
    )
    expect(() => keepConnected(auth, open, { retry: { minDelay: 10, maxDelay: 5 } })).toThrow('at least 10')
    expect(() => keepConnected(auth, open, { retry: { jitter: 2 } })).toThrow('from 0 to 1, not 2')
  })

  it('reports errors of its listeners, and continues', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => error.mockRestore())
    const thrown = new Error('mine')
    const { clock, lines, drop } = setUp({
      onRetry() {
        throw thrown
      },
    })
    await clock.advance(0)
    await drop()
    await clock.advance(1_000)
    expect(lines).toHaveLength(2)
    expect(error).toHaveBeenCalledWith(thrown)
  })
})
