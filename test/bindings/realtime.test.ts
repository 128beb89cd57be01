import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type ConnectionRequest,
  type ConnectionRetry,
  type KeepConnectedOptions,
  keepConnected,
} from '../../src/bindings/realtime.ts'
import { FETCH } from '../../src/core/auth.ts'
import {
  fakeEnvironment,
  LIFETIME,
  type Rig,
  type RigOptions,
  refused,
  rig,
  tokens,
} from '../core/auth-setup.ts'

/** A connection on its own end of the wire, which does as the test says. */
class Line extends EventTarget {
  static readonly all: Line[] = []
  readonly CLOSED = 3
  readyState = 0
  onclose = null
  readonly request: ConnectionRequest
  closed = 0

  constructor(request: ConnectionRequest) {
    super()
    this.request = request
    Line.all.push(this)
  }
  close() {
    this.closed++
    this.readyState = this.CLOSED
  }
  /** The other end hangs up. */
  drop(code = 1006) {
    this.readyState = this.CLOSED
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

const setUp = (options: KeepConnectedOptions = {}, rigOptions: RigOptions = {}) => {
  const session = rig({ initialTokens: tokens(1, { subject: 'ada' }), ...rigOptions })
  const outside = fakeEnvironment()
  const lines: Line[] = []
  const retries: ConnectionRetry[] = []
  const stop = keepConnected(
    session.auth,
    (request) => {
      const line = new Line(request)
      lines.push(line)
      return line
    },
    {
      clock: session.clock,
      environment: outside.environment,
      onRetry: (retry) => retries.push(retry),
      ...options,
      retry: { jitter: 0, ...options.retry },
    },
  )
  onTestFinished(stop)
  return {
    ...session,
    outside,
    lines,
    retries,
    stop,
    /** The tokens of the connections that are open. */
    open: () =>
      lines
        .filter(({ closed, readyState }) => closed === 0 && readyState === 0)
        .map(({ request }) => request.accessToken),
    delays: () => retries.map(({ delay }) => delay),
    /** The other end of the last connection hangs up. */
    async drop(code?: number) {
      lines.at(-1)?.drop(code)
      await session.clock.advance(0)
    },
  }
}

const answer = async ({ refresh, clock }: Pick<Rig, 'refresh' | 'clock'>, n: number) => {
  refresh.call().resolve(tokens(n, { subject: 'ada' }))
  await clock.advance(0)
}

describe('keepConnected', () => {
  it('opens a connection with the token', async () => {
    const { clock, lines, open } = setUp()
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-1'])
    expect(lines[0]?.request).toMatchObject({ generation: 1, signal: { aborted: false } })
  })

  it('waits while nobody is signed in, and while the stored session is read', async () => {
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

  it('connects anew with a new token, and keeps the old connection until then', async () => {
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

  it('keeps the connection over a renewal where it is told so, and takes the new token for the next one', async () => {
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

  it.each<[what: string, end: (session: Rig) => unknown]>([
    ['a sign-out', ({ auth }) => void auth.signOut()],
    ['another user', ({ auth }) => void auth.setTokens(tokens(9, { subject: 'grace' }))],
    ['dispose()', ({ auth }) => auth.dispose()],
  ])('closes the connection in the moment of %s', async (_, end) => {
    const session = setUp()
    await session.clock.advance(0)
    expect(session.open()).toEqual(['SECRET-at-1'])
    end(session)
    expect(session.open()).toEqual([])
    expect(session.lines[0]?.request.signal.aborted).toBe(true)
  })

  it('closes the connection in the moment the session expires', async () => {
    const { clock, open, at } = setUp({}, { initialTokens: tokens(1, { refresh_token_expires_in: 0 }) })
    await clock.advance(LIFETIME - 1)
    expect(open()).toEqual(['SECRET-at-1'])
    await clock.advance(1)
    expect([at('expired'), open()]).toEqual([true, []])
    expect(clock.pending).toBe(0)
  })

  it('never opens with the token of one user under another, though it was on its way', async () => {
    const { auth, clock, lines } = setUp()
    // The token is asked for by now, and `open` not called yet.
    const signIn = auth.setTokens(tokens(2, { subject: 'grace' }))
    await clock.advance(0)
    await signIn
    expect(lines.map(({ request: { accessToken, generation } }) => [accessToken, generation])).toEqual([
      ['SECRET-at-2', 2],
    ])
  })

  it.each(['reconnect', 'keep'] as const)(
    'waits for the renewal of a token that is dead, and opens with the new one (%s)',
    async (renewal) => {
      const session = setUp(
        { renewal },
        { renew: 'demand', initialTokens: tokens(1, { expires_in: 1, subject: 'ada' }) },
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

describe('after failures, keepConnected', () => {
  it('waits twice as long each time, up to a limit, and begins anew once a connection has lasted', async () => {
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

  it('leaves a part of each wait to chance', async () => {
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
  ])('tries again where open %s', async (_, open, cause) => {
    const { auth, clock } = rig()
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

  it('forgets them for another user, and waits for nobody', async () => {
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

  it('does not wait any longer when there is a network again, or somebody looks', async () => {
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

  it('does not try without a network', async () => {
    const { clock, lines, open, outside, drop } = setUp()
    await clock.advance(0)
    outside.online = false
    await drop()
    await clock.advance(60_000)
    expect(lines).toHaveLength(1)
    outside.signal('online')
    await clock.advance(0)
    expect(open()).toEqual(['SECRET-at-1'])
  })

  it('goes on while the token cannot be renewed', async () => {
    const session = setUp(
      {},
      {
        renew: 'demand',
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

describe('where the server refuses the token, keepConnected', () => {
  it('gets another one, and connects with that at once', async () => {
    const session = setUp()
    const { clock, refresh, open, drop } = session
    await clock.advance(0)
    await drop(3000)
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(1)
    await answer(session, 2)
    expect(open()).toEqual(['SECRET-at-2'])
  })

  it('gets no third one where it refuses the second as well, until a connection has lasted', async () => {
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

  it('takes an answer with the status 401 for it, or what it is told to', async () => {
    const refusals = [new Response(null, { status: 401 }), { response: { status: 401 } }]
    for (const refusal of refusals) {
      const { auth, clock, refresh } = rig()
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

describe('what open gives', () => {
  const start = (open: (request: ConnectionRequest) => Promise<unknown>) => {
    const session = rig({ initialTokens: tokens(1, { subject: 'ada' }) })
    const stop = keepConnected(session.auth, open, { clock: session.clock, retry: { jitter: 0 } })
    onTestFinished(stop)
    return { ...session, stop }
  }

  it('may be a promise of a connection, which is closed if it comes too late', async () => {
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

  it('may be a connection that is over already', async () => {
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

  it('is closed at once where its making ends the session', async () => {
    const { auth, clock } = rig()
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

describe('who stops keepConnected', () => {
  it('before the token is there opens nothing', async () => {
    const { clock, lines, stop } = setUp()
    stop()
    await clock.advance(0)
    expect(lines).toEqual([])
  })

  it('leaves no connection, timer or listener behind, whatever it was doing', async () => {
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
      const session = setUp({}, { renew: 'demand' })
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

  it('does so by disposing of the auth, too', async () => {
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

describe('keepConnected, wrongly used', () => {
  it('says so', () => {
    const { auth } = rig()
    const open = () => Promise.resolve()
    const elsewhere = Object.assign(Object.create(auth), { [FETCH]: fetch })
    expect(() => keepConnected(elsewhere, open)).toThrow(
      'this session lives in a worker, which gives no token',
    )
    expect(() => keepConnected(auth, open, { renewal: 'never' as never })).toThrow(TypeError)
    expect(() => keepConnected(auth, open, { retry: { minDelay: 0 } })).toThrow(
      'keepConnected: retry.minDelay must be a number at least 1, not 0.',
    )
    expect(() => keepConnected(auth, open, { retry: { minDelay: 10, maxDelay: 5 } })).toThrow('at least 10')
    expect(() => keepConnected(auth, open, { retry: { jitter: 2 } })).toThrow('from 0 to 1, not 2')
  })

  it('reports what its own listeners throw, and goes on', async () => {
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
