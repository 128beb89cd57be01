import { metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inspectAuth, openTelemetryObserver } from '../../src/inspect/index.ts'
import { LIFETIME, type RigOptions, refused, rig, tokens } from '../core/auth-setup.ts'

function providers() {
  const spans = new InMemorySpanExporter()
  const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const exported = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: exported })
  const measuring = new MeterProvider({ readers: [reader] })
  onTestFinished(async () => {
    await tracing.shutdown()
    await measuring.shutdown()
  })
  return {
    tracing,
    measuring,
    spans: () =>
      spans
        .getFinishedSpans()
        .map(({ name, attributes, status, events, startTime, endTime, parentSpanContext }) => ({
          name,
          attributes,
          status: status.code,
          events: events.map((event) => [event.name, event.attributes]),
          ms: (endTime[0] - startTime[0]) * 1000 + (endTime[1] - startTime[1]) / 1e6,
          since: startTime[0] * 1000 + startTime[1] / 1e6,
          parent: parentSpanContext,
        })),
    async metrics() {
      await reader.forceFlush()
      const all =
        exported
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
      return Object.fromEntries(
        all.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => ({
            attributes,
            value: typeof value === 'number' ? value : { count: value.count, sum: value.sum },
          })),
        ]),
      )
    },
    async units() {
      await reader.forceFlush()
      const all =
        exported
          .getMetrics()
          .at(-1)
          ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
      return all.map(({ descriptor: { name, unit } }) => [name, unit])
    },
  }
}

function measured(options: RigOptions = {}) {
  const made = rig({ retry: { jitter: 0, attempts: 2 }, ...options })
  const told = providers()
  const tracer = told.tracing.getTracer('test')
  const stop = inspectAuth(
    made.auth,
    openTelemetryObserver({ tracer, meter: told.measuring.getMeter('test') }),
    { now: () => made.clock.now() },
  )
  const renew = async () => {
    void made.auth.refresh().catch(() => {})
    await made.clock.advance(0)
  }
  return { ...made, ...told, renew, stop }
}

describe('OpenTelemetry', () => {
  it('has a span for a refresh, with what went wrong on the way, and its duration', async () => {
    const run = measured()
    const { clock, refresh } = run
    const began = clock.now()
    await run.renew()
    refresh.call().reject({ status: 503, error_description: 'no' })
    await clock.advance(250)
    await clock.advance(100)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    const failure = {
      'error.type': 'server_error',
      'http.response.status_code': 503,
      'authchart.refresh.fatal': false,
    }
    expect(run.spans()).toEqual([
      {
        name: 'authchart.refresh',
        status: 0,
        attributes: {
          'authchart.name': 'auth',
          'authchart.epoch': 1,
          'authchart.generation': 1,
          'authchart.refresh.outcome': 'renewed',
          'authchart.refresh.failures': 1,
        },
        events: [['authchart.refresh.failed', failure]],
        ms: 350,
        since: began,
        parent: undefined,
      },
    ])
    expect(await run.metrics()).toMatchObject({
      'authchart.refresh.duration': [
        { attributes: { 'authchart.refresh.outcome': 'renewed' }, value: { count: 1, sum: 0.35 } },
      ],
      'authchart.refresh.failures': [{ attributes: failure, value: 1 }],
    })
  })

  it.each([
    [
      'the refresh token is dead, while the access token lives',
      async ({ renew, refresh, clock }: ReturnType<typeof measured>) => {
        await renew()
        refresh.call().reject(refused())
        await clock.advance(0)
      },
      'last_token',
      'invalid_grant',
    ],
    [
      'both tokens are dead',
      async ({ renew, refresh, clock }: ReturnType<typeof measured>) => {
        await clock.advance(LIFETIME)
        await renew()
        refresh.call().reject(refused())
        await clock.advance(0)
      },
      'expired',
      'invalid_grant',
    ],
    [
      'the tries are spent',
      async ({ renew, refresh, clock }: ReturnType<typeof measured>) => {
        await renew()
        refresh.call().reject({ status: 500 })
        await clock.advance(250)
        refresh.call().reject({ status: 429 })
        await clock.advance(0)
      },
      'suspended',
      'rate_limited',
    ],
    [
      'there is no network',
      async ({ renew, outside }: ReturnType<typeof measured>) => {
        outside.signal('offline')
        await renew()
      },
      'offline',
      'offline',
    ],
  ])('tells how it ended where %s', async (_, happen, outcome, reason) => {
    const run = measured({ renew: 'demand' })
    await happen(run)
    expect(run.spans()).toEqual([
      expect.objectContaining({
        name: 'authchart.refresh',
        status: 2,
        attributes: expect.objectContaining({ 'authchart.refresh.outcome': outcome, 'error.type': reason }),
      }),
    ])
  })

  it.each([
    ['a sign-out', ({ auth }: ReturnType<typeof measured>) => void auth.signOut()],
    ['tokens from elsewhere', ({ auth }: ReturnType<typeof measured>) => void auth.setTokens(tokens(5))],
    [
      'dead tokens from elsewhere',
      ({ auth, clock }: ReturnType<typeof measured>) =>
        void auth.setTokens(tokens(5, { expires_in: undefined, expires_at: new Date(clock.now() - 1) })),
    ],
    ['the end of the inspection', ({ stop }: ReturnType<typeof measured>) => stop()],
    ['the end of the session', ({ auth }: ReturnType<typeof measured>) => auth.dispose()],
  ])('tells of a refresh that was abandoned for %s, which is no error', async (_, happen) => {
    const run = measured()
    await run.renew()
    happen(run)
    await run.clock.advance(0)
    expect(run.spans()[0]).toMatchObject({
      status: 0,
      attributes: { 'authchart.refresh.outcome': 'abandoned' },
    })
  })

  it('begins another refresh as a span of its own', async () => {
    const run = measured()
    const { refresh, clock } = run
    for (const generation of [2, 3]) {
      await run.renew()
      refresh.call().resolve(tokens(generation))
      await clock.advance(0)
    }
    await run.auth.setTokens(tokens(9))
    await run.renew()
    await run.auth.signOut()
    expect(run.spans().map(({ attributes }) => attributes['authchart.refresh.outcome'])).toEqual([
      'renewed',
      'renewed',
      'abandoned',
    ])
  })

  it('does not take a renewal from elsewhere for the outcome of a refresh that comes later', async () => {
    const run = measured()
    const { auth } = run
    const { epoch, generation, expiresAt, renewAt, renewable } = auth.actor.getSnapshot().context
    const facts = { epoch, generation, expiresAt, renewAt, renewable }
    auth.actor.send({ type: 'session.adopt', facts, works: true, renewal: true })
    await run.renew()
    await auth.setTokens(tokens(5))
    expect(run.spans()[0]?.attributes['authchart.refresh.outcome']).toBe('abandoned')
  })

  it('has a span for the time in which requests wait', async () => {
    const run = measured({ renew: 'demand' })
    const { auth, clock, refresh } = run
    await clock.advance(LIFETIME)
    void auth.getAccessToken().catch(() => {})
    void auth.getAccessToken().catch(() => {})
    await clock.advance(500)
    expect(run.spans()).toEqual([])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    const [hold] = run.spans().filter(({ name }) => name === 'authchart.hold')
    expect(hold).toMatchObject({
      ms: 500,
      status: 0,
      attributes: {
        'authchart.hold.requests': 2,
        'authchart.hold.rejected': 0,
        'authchart.hold.outcome': 'released',
      },
    })
    expect(await run.metrics()).toMatchObject({
      'authchart.hold.duration': [{ value: { count: 1, sum: 0.5 } }],
      'authchart.requests.held': [{ value: 2 }],
    })
  })

  it('tells where all who waited were turned away', async () => {
    const run = measured({ renew: 'demand' })
    const { auth, clock, refresh } = run
    await clock.advance(LIFETIME)
    void auth.getAccessToken().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    const [hold] = run.spans().filter(({ name }) => name === 'authchart.hold')
    expect(hold).toMatchObject({
      status: 2,
      attributes: {
        'authchart.hold.requests': 1,
        'authchart.hold.rejected': 1,
        'authchart.hold.outcome': 'rejected',
      },
    })
    expect(await run.metrics()).toMatchObject({
      'authchart.requests.rejected': [{ attributes: { 'error.type': 'invalid_grant' }, value: 1 }],
    })
  })

  it('counts sessions that begin and end, by how', async () => {
    const run = measured({ renew: 'demand' })
    await run.auth.setTokens(tokens(2))
    await run.auth.signOut()
    await run.auth.setTokens(tokens(3))
    await run.clock.advance(LIFETIME)
    await run.renew()
    run.refresh.call().reject(refused())
    await run.clock.advance(0)
    expect(await run.metrics()).toMatchObject({
      'authchart.session.starts': [{ attributes: {}, value: 2 }],
      'authchart.session.ends': [
        { attributes: { 'authchart.session.end': 'signed_out', 'error.type': 'signed_out' }, value: 1 },
        { attributes: { 'authchart.session.end': 'expired', 'error.type': 'invalid_grant' }, value: 1 },
      ],
    })
  })

  it('measures in the units of the semantic conventions', async () => {
    const run = measured()
    await run.renew()
    run.refresh.call().reject({ status: 503 })
    await run.auth.signOut()
    for (const [name, unit] of await run.units()) {
      expect(name).toMatch(/^authchart\.[a-z]+\.[a-z]+$/)
      expect(unit).toMatch(/^(s|\{[a-z]+\})$/)
    }
  })

  it('goes to what is registered, where it is given the API itself', async () => {
    const told = providers()
    trace.setGlobalTracerProvider(told.tracing)
    metrics.setGlobalMeterProvider(told.measuring)
    onTestFinished(() => {
      trace.disable()
      metrics.disable()
    })
    const { auth, clock, refresh } = rig()
    inspectAuth(auth, openTelemetryObserver({ trace, metrics }), { name: 'mine', now: () => clock.now() })
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(told.spans()).toMatchObject([
      { name: 'authchart.refresh', attributes: { 'authchart.name': 'mine' } },
    ])
    expect(Object.keys(await told.metrics())).toContain('authchart.refresh.duration')
  })

  it.each([
    ['nothing', {}],
    ['a tracer alone', { tracer: trace.getTracer('none') }],
    ['a meter alone', { meter: metrics.getMeter('none') }],
  ])('does without what it is not given: %s', async (_, options) => {
    const { auth, clock, refresh } = rig()
    const frames: unknown[] = []
    inspectAuth(auth, (frame) => frames.push(openTelemetryObserver(options)(frame)))
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(auth.session?.generation).toBe(2)
    expect(frames.length).toBeGreaterThan(5)
  })
})
