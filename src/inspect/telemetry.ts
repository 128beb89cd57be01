/** The part of the OpenTelemetry API that the observer calls. `@opentelemetry/api` fits, and so does anything of the same shape. */

export type Attributes = Record<string, string | number | boolean>

/** A span of `@opentelemetry/api`. */
export interface TelemetrySpan {
  /** Adds attributes to the span. Values of the same name are replaced. */
  setAttributes(attributes: Attributes): unknown
  /** Adds an event at that time: each failed attempt of a refresh is one. */
  addEvent(name: string, attributes: Attributes, at: Date): unknown
  /** Sets whether what the span measures failed: 1 is OK, 2 an error. The observer sets only 2. */
  setStatus(status: { code: 1 | 2; message?: string }): unknown
  /** Ends the span at that time. Called once. */
  end(at: Date): void
}

/** A tracer of `@opentelemetry/api`. */
export interface TelemetryTracer {
  /** Starts a span at that time. `root`: the span has no parent, because no request owns a refresh. */
  startSpan(name: string, options: { root: boolean; startTime: Date; attributes: Attributes }): TelemetrySpan
}

interface Described {
  description: string
  unit: string
}

/** A meter of `@opentelemetry/api`. */
export interface TelemetryMeter {
  /** Creates a counter, whose `unit` is in the notation of UCUM. */
  createCounter(
    name: string,
    options: Described,
  ): {
    /** Adds a number of at least 1. */
    add(value: number, attributes: Attributes): void
  }
  /** Creates a histogram of durations in seconds, with boundaries that suit them. */
  createHistogram(
    name: string,
    options: Described & { advice: { explicitBucketBoundaries: number[] } },
  ): {
    /** Records one duration, in seconds. */
    record(value: number, attributes: Attributes): void
  }
}

/** Where spans and measurements go. */
export interface TelemetryOptions {
  /** `trace` of `@opentelemetry/api`. Gives the tracer of the registered provider. */
  readonly trace?: {
    /** Called once, with the name `'authchart'`. */
    getTracer(name: string): TelemetryTracer
  }
  /** `metrics` of `@opentelemetry/api`. Gives the meter of the registered provider. */
  readonly metrics?: {
    /** Called once, with the name `'authchart'`. */
    getMeter(name: string): TelemetryMeter
  }
  /** A tracer of your own; takes precedence over `trace`. */
  readonly tracer?: TelemetryTracer
  /** A meter of your own; takes precedence over `metrics`. */
  readonly meter?: TelemetryMeter
}
