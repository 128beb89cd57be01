/** The set-up of the tests of `keepConnected`. */
import { onTestFinished } from 'vitest'
import {
  type ConnectionRequest,
  type ConnectionRetry,
  type KeepConnectedOptions,
  keepConnected,
} from '../../src/bindings/realtime.ts'
import {
  createHarness,
  fakeEnvironment,
  type Harness,
  type HarnessOptions,
  tokens,
} from '../core/auth-setup.ts'

/** A connection that the test controls. */
export class Line extends EventTarget {
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
  /** The server closes the connection. */
  drop(code = 1006) {
    this.readyState = this.CLOSED
    this.dispatchEvent(Object.assign(new Event('close'), { code }))
  }
}

export const setUp = (options: KeepConnectedOptions = {}, rigOptions: HarnessOptions = {}) => {
  const session = createHarness({ initialTokens: tokens(1, { subject: 'ada' }), ...rigOptions })
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
    /** The tokens of the open connections. */
    open: () =>
      lines
        .filter(({ closed, readyState }) => closed === 0 && readyState === 0)
        .map(({ request }) => request.accessToken),
    delays: () => retries.map(({ delay }) => delay),
    /** The server closes the last connection. */
    async drop(code?: number) {
      lines.at(-1)?.drop(code)
      await session.clock.advance(0)
    },
  }
}

export const answer = async ({ refresh, clock }: Pick<Harness, 'refresh' | 'clock'>, n: number) => {
  refresh.call().resolve(tokens(n, { subject: 'ada' }))
  await clock.advance(0)
}
