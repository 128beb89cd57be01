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
import { liveThrough, newLife } from './life.ts'
import { startReceiver } from './receiver.ts'

/** As text, of whatever it is: errors, circles, and what JSON would leave out. */
function written(value: unknown): string {
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

/** A life, looked at from its first moment; the observer may be chosen when the life is there. */
async function watched(observer: AuthObserver) {
  const life = newLife()
  const stop = inspectAuth(life.auth, observer, { now: () => life.clock.now() })
  await liveThrough(life)
  stop()
  return life
}

/** Where each of them sends what it is shown; `sent` has it all as texts, one for each frame. */
const RECEIVERS: Readonly<
  Record<string, () => Promise<{ observer: AuthObserver; sent(): Promise<string[]> }>>
> = {
  async 'an observer of its own'() {
    const frames: string[] = []
    // At once, for what it shows may change later.
    return { observer: (frame) => frames.push(written(frame)), sent: async () => frames }
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
    const inspector = createInspector({ send: (frame) => void frames.push(written(frame)) })
    return { observer: statelyObserver(inspector), sent: async () => frames }
  },

  async 'the console'() {
    const lines: string[] = []
    const write = (...values: unknown[]) => void lines.push(written(values))
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
        ].map(written)
      },
    }
  },
}

describe('a token, a password, a verifier', () => {
  it.each(Object.entries(RECEIVERS))('never reaches %s', async (_, receive) => {
    const { observer, sent } = await receive()
    await watched(observer)
    const frames = await sent()
    expect(frames.filter((frame) => frame.includes(SECRET))).toEqual([])
    // It was an eventful life: what is not told cannot leak.
    const all = frames.join('\n')
    for (const fact of ['network', 'invalid_grant', 'refresh']) expect(all).toContain(fact)
  })

  it('would reach whoever is shown what XState shows', async () => {
    const life = newLife()
    const frames: string[] = []
    life.auth.actor.system.inspect((frame) => void frames.push(written(frame)))
    await liveThrough(life)
    expect(frames.filter((frame) => frame.includes(SECRET))).not.toEqual([])
  })

  it('is not in what is told of a life that had everything in it', async () => {
    const { told, auth } = await watched(() => {})
    expect(new Set(told())).toEqual(
      new Set([
        'discarded',
        'expired',
        'refreshed',
        'refreshFailed',
        'requestHeld',
        'requestRejected',
        'signedIn',
        'signedOut',
        'stepUpRequired',
        'storageFailed',
      ]),
    )
    expect(auth.state).toBe('loggedOut')
  })
})
