/** The part of the OpenTelemetry API that the observer calls. `@opentelemetry/api` fits, and so does anything of the same shape. */

export type Attributes = Record<string, string | number | boolean>

/** A span of `@opentelemetry/api`. */
export interface TelemetrySpan {
  setAttributes(attributes: Attributes): unknown
  addEvent(name: string, attributes: Attributes, at: Date): unknown
  setStatus(status: { code: 1 | 2; message?: string }): unknown
  end(at: Date): void
}

/** A tracer of `@opentelemetry/api`. */
export interface TelemetryTracer {
  startSpan(name: string, options: { root: boolean; startTime: Date; attributes: Attributes }): TelemetrySpan
}

interface Described {
  description: string
  unit: string
}

/** A meter of `@opentelemetry/api`. */
export interface TelemetryMeter {
  createCounter(name: string, options: Described): { add(value: number, attributes: Attributes): void }
  createHistogram(
    name: string,
    options: Described & { advice: { explicitBucketBoundaries: number[] } },
  ): { record(value: number, attributes: Attributes): void }
}

/** Where spans and measurements go. */
export interface TelemetryOptions {
  /** `trace` of `@opentelemetry/api`. Gives the tracer of the registered provider. */
  readonly trace?: { getTracer(name: string): TelemetryTracer }
  /** `metrics` of `@opentelemetry/api`. Gives the meter of the registered provider. */
  readonly metrics?: { getMeter(name: string): TelemetryMeter }
  /** A tracer of your own; takes precedence over `trace`. */
  readonly tracer?: TelemetryTracer
  /** A meter of your own; takes precedence over `metrics`. */
  readonly meter?: TelemetryMeter
}
