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
import { createHarness, type HarnessOptions, LIFETIME, refused, tokens } from '../core/auth-setup.ts'
import { deliver } from '../support/deliver.ts'

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

function measured(options: HarnessOptions = {}) {
  const made = createHarness({ retry: { jitter: 0, attempts: 2 }, ...options })
  const telemetry = providers()
  const tracer = telemetry.tracing.getTracer('test')
  const stop = inspectAuth(
    made.auth,
    openTelemetryObserver({ tracer, meter: telemetry.measuring.getMeter('test') }),
    { now: () => made.clock.now() },
  )
  const startRefresh = async () => {
    void made.auth.refresh().catch(() => {})
    await made.clock.advance(0)
  }
  return { ...made, ...telemetry, startRefresh, stop }
}

describe('openTelemetryObserver', () => {
  it('reports a refresh as a span, with its failed attempts and its duration', async () => {
    const run = measured()
    const { clock, refresh } = run
    const began = clock.now()
    await run.startRefresh()
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
          'authchart.refresh.outcome': 'refreshed',
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
        { attributes: { 'authchart.refresh.outcome': 'refreshed' }, value: { count: 1, sum: 0.35 } },
      ],
      'authchart.refresh.failures': [{ attributes: failure, value: 1 }],
    })
  })

  it.each([
    [
      'the refresh token is rejected while the access token is valid',
      async ({ startRefresh, refresh, clock }: ReturnType<typeof measured>) => {
        await startRefresh()
        refresh.call().reject(refused())
        await clock.advance(0)
      },
      'last_token',
      'invalid_grant',
    ],
    [
      'the refresh token is rejected and the access token has expired',
      async ({ startRefresh, refresh, clock }: ReturnType<typeof measured>) => {
        await clock.advance(LIFETIME)
        await startRefresh()
        refresh.call().reject(refused())
        await clock.advance(0)
      },
      'expired',
      'invalid_grant',
    ],
    [
      'all attempts have failed',
      async ({ startRefresh, refresh, clock }: ReturnType<typeof measured>) => {
        await startRefresh()
        refresh.call().reject({ status: 500 })
        await clock.advance(250)
        refresh.call().reject({ status: 429 })
        await clock.advance(0)
      },
      'cooling_down',
      'rate_limited',
    ],
    [
      'the device is offline',
      async ({ startRefresh, refresh, clock, outside }: ReturnType<typeof measured>) => {
        outside.signal('offline')
        await startRefresh()
        refresh.call().reject(new TypeError('fetch failed'))
        await clock.advance(0)
      },
      'offline',
      'offline',
    ],
  ])('reports the outcome of a refresh if %s', async (_, happen, outcome, reason) => {
    const run = measured({ refreshOn: 'demand' })
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
    ['new tokens', ({ auth }: ReturnType<typeof measured>) => void auth.setTokens(tokens(5))],
    [
      'expired tokens',
      ({ auth, clock }: ReturnType<typeof measured>) =>
        void auth.setTokens(tokens(5, { expires_in: undefined, expires_at: new Date(clock.now() - 1) })),
    ],
    ['the end of the inspection', ({ stop }: ReturnType<typeof measured>) => stop()],
    ['the end of the session', ({ auth }: ReturnType<typeof measured>) => auth.dispose()],
  ])('reports a refresh as abandoned, without an error, after %s', async (_, happen) => {
    const run = measured()
    await run.startRefresh()
    happen(run)
    await run.clock.advance(0)
    expect(run.spans()[0]).toMatchObject({
      status: 0,
      attributes: { 'authchart.refresh.outcome': 'abandoned' },
    })
  })

  it('reports each refresh as a separate span', async () => {
    const run = measured()
    const { refresh, clock } = run
    for (const generation of [2, 3]) {
      await run.startRefresh()
      refresh.call().resolve(tokens(generation))
      await clock.advance(0)
    }
    await run.auth.setTokens(tokens(9))
    await run.startRefresh()
    await run.auth.signOut()
    expect(run.spans().map(({ attributes }) => attributes['authchart.refresh.outcome'])).toEqual([
      'refreshed',
      'refreshed',
      'abandoned',
    ])
  })

  it('does not attribute the tokens of another tab to a later refresh', async () => {
    const run = measured()
    const { auth } = run
    const { epoch, generation, expiresAt, refreshAt, refreshable } = auth.actor.getSnapshot().context
    const facts = { epoch, generation, expiresAt, refreshAt, refreshable }
    deliver(auth, { type: 'tokens.received', facts, refreshed: true })
    await run.startRefresh()
    await auth.setTokens(tokens(5))
    expect(run.spans()[0]?.attributes['authchart.refresh.outcome']).toBe('abandoned')
  })

  it('reports the time in which requests are held as a span', async () => {
    const run = measured({ refreshOn: 'demand' })
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

  it('reports a hold as rejected if all held requests were rejected', async () => {
    const run = measured({ refreshOn: 'demand' })
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

  it('counts sessions that start and end, by the reason of the end', async () => {
    const run = measured({ refreshOn: 'demand' })
    await run.auth.setTokens(tokens(2))
    await run.auth.signOut()
    await run.auth.setTokens(tokens(3))
    await run.clock.advance(LIFETIME)
    await run.startRefresh()
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

  it('uses the units of the semantic conventions', async () => {
    const run = measured()
    await run.startRefresh()
    run.refresh.call().reject({ status: 503 })
    await run.auth.signOut()
    for (const [name, unit] of await run.units()) {
      expect(name).toMatch(/^authchart\.[a-z]+\.[a-z]+$/)
      expect(unit).toMatch(/^(s|\{[a-z]+\})$/)
    }
  })

  it('uses the registered providers if it is given the API', async () => {
    const telemetry = providers()
    trace.setGlobalTracerProvider(telemetry.tracing)
    metrics.setGlobalMeterProvider(telemetry.measuring)
    onTestFinished(() => {
      trace.disable()
      metrics.disable()
    })
    const { auth, clock, refresh } = createHarness()
    inspectAuth(auth, openTelemetryObserver({ trace, metrics }), { name: 'mine', now: () => clock.now() })
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(telemetry.spans()).toMatchObject([
      { name: 'authchart.refresh', attributes: { 'authchart.name': 'mine' } },
    ])
    expect(Object.keys(await telemetry.metrics())).toContain('authchart.refresh.duration')
  })

  it.each([
    ['nothing', {}],
    ['a tracer alone', { tracer: trace.getTracer('none') }],
    ['a meter alone', { meter: metrics.getMeter('none') }],
  ])('works with %s', async (_, options) => {
    const { auth, clock, refresh } = createHarness()
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
