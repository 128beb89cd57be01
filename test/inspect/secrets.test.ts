import { metrics, trace } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { createInspector, createWebSocketInspector } from '@statelyai/inspect'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthObserver,
  type ConsoleLike,
  consoleObserver,
  inspectAuth,
  openTelemetryObserver,
  statelyObserver,
} from '../../src/inspect/index.ts'
import { SECRET } from '../core/auth-setup.ts'
import { createEventfulSession, exerciseSession } from './eventful-session.ts'
import { startReceiver } from './receiver.ts'

/** Serializes any value, including errors, circular references, and other values that JSON leaves out. */
function serialize(value: unknown): string {
  const seen = new WeakSet<object>()
  const text = JSON.stringify(value, (_, part) => {
    if (typeof part === 'function') return undefined
    if (part instanceof Error) return { ...part, message: part.message, stack: part.stack, cause: part.cause }
    if (typeof part === 'bigint') return `${part}`
    if (typeof part !== 'object' || part === null) return part
    if (part instanceof Map || part instanceof Set) return [...part]
    if (seen.has(part)) return '[seen]'
    seen.add(part)
    return part
  })
  return text ?? ''
}

/** Inspects an eventful session from its first moment. */
async function observe(observer: AuthObserver) {
  const session = createEventfulSession()
  const stop = inspectAuth(session.auth, observer, { now: () => session.clock.now() })
  await exerciseSession(session)
  stop()
  return session
}

/** The observers and their outputs. `sent` returns all output as texts, one per frame. */
const RECEIVERS: Readonly<
  Record<string, () => Promise<{ observer: AuthObserver; sent(): Promise<string[]> }>>
> = {
  async 'a custom observer'() {
    const frames: string[] = []
    // Serialize at once, because the frame may change later.
    return { observer: (frame) => frames.push(serialize(frame)), sent: async () => frames }
  },

  async "Stately's inspector, over a WebSocket"() {
    const receiver = await startReceiver()
    const inspector = createWebSocketInspector({
      url: receiver.url,
      serializationDepthLimit: 20,
      maxDeferredEvents: 10_000,
    })
    onTestFinished(async () => {
      inspector.stop()
      await receiver.close()
    })
    return {
      observer: statelyObserver(inspector),
      async sent() {
        await receiver.until((text) => text.includes('"status":"stopped"'))
        return receiver.texts
      },
    }
  },

  async "Stately's inspector, through an adapter"() {
    const frames: string[] = []
    const inspector = createInspector({ send: (frame) => void frames.push(serialize(frame)) })
    return { observer: statelyObserver(inspector), sent: async () => frames }
  },

  async 'the console'() {
    const lines: string[] = []
    const write = (...values: unknown[]) => void lines.push(serialize(values))
    const console: ConsoleLike = { log: write, group: write, groupCollapsed: write, groupEnd: () => {} }
    return { observer: consoleObserver({ console }), sent: async () => lines }
  },

  async OpenTelemetry() {
    const spans = new InMemorySpanExporter()
    const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
    const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter: measured })
    const measuring = new MeterProvider({ readers: [reader] })
    trace.setGlobalTracerProvider(tracing)
    metrics.setGlobalMeterProvider(measuring)
    onTestFinished(async () => {
      trace.disable()
      metrics.disable()
      await tracing.shutdown()
      await measuring.shutdown()
    })
    return {
      observer: openTelemetryObserver({ trace, metrics }),
      async sent() {
        await reader.forceFlush()
        return [
          ...spans.getFinishedSpans(),
          ...measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics),
        ].map(serialize)
      },
    }
  },
}

describe('secrets', () => {
  it.each(Object.entries(RECEIVERS))('never reach %s', async (_, receive) => {
    const { observer, sent } = await receive()
    await observe(observer)
    const frames = await sent()
    expect(frames.filter((frame) => frame.includes(SECRET))).toEqual([])
    // Output that contains nothing would contain no secret either.
    const all = frames.join('\n')
    for (const fact of ['network', 'invalid_grant', 'refresh']) expect(all).toContain(fact)
  })

  it('would reach a plain XState inspector', async () => {
    const session = createEventfulSession()
    const frames: string[] = []
    session.auth.actor.system.inspect((frame) => void frames.push(serialize(frame)))
    await exerciseSession(session)
    expect(frames.filter((frame) => frame.includes(SECRET))).not.toEqual([])
  })

  it('are tested with a session that emits every kind of event', async () => {
    const { emitted, auth } = await observe(() => {})
    expect(new Set(emitted())).toEqual(
      new Set([
        'discarded',
        'expired',
        'refreshed',
        'refreshFailed',
        'requestHeld',
        'requestRejected',
        'revocationFailed',
        'signedIn',
        'signedOut',
        'stepUpRequired',
        'storageFailed',
      ]),
    )
    expect(auth.state).toBe('loggedOut')
  })
})
