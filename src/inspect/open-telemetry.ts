import type { AuthEmitted } from '../../machines/index.ts'
import { enteredStates, topState } from '../../machines/state-path.ts'
import { wordOr } from './allow-list.ts'
import type { AuthObserver, InspectedSnapshot, InspectionFrame } from './frames.ts'
import { createMeters } from './meters.ts'
import type { Attributes, TelemetryOptions, TelemetrySpan } from './telemetry.ts'

const SCOPE = 'authchart'

/** A period that is reported when it ends: a refresh, or the time in which requests are held. */
interface Period {
  readonly since: number
  readonly span: TelemetrySpan | undefined
  failures: number
  held: number
  rejected: number
}

/** How a refresh ended. */
type Outcome = 'refreshed' | 'expired' | 'last_token' | 'cooling_down' | 'offline' | 'abandoned'

/** The states in which a refresh has ended, or goes on later. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  'refreshing.attempt.coolingDown': 'cooling_down',
  'refreshing.attempt.offline': 'offline',
  'authenticated.lastToken': 'last_token',
  expired: 'expired',
}

/**
 * Reports a session to OpenTelemetry. Spans: `authchart.refresh`, from the first attempt to the outcome, with an event for each
 * failed attempt; `authchart.hold`, from the first held request until none is held. Both are root spans, because they do not
 * belong to a single request. The durations are also reported as histograms, in seconds. Counters complete them.
 *
 * Attributes contain no secrets: outcomes, reasons (`error.type`), statuses (`http.response.status_code`), numbers.
 *
 * @param options `trace` and `metrics` of `@opentelemetry/api` to use the registered providers, or a `tracer` and a `meter`.
 * Spans need a tracer, metrics need a meter
 * @returns an observer for `inspectAuth`
 *
 * @example
 * ```ts
 * import { metrics, trace } from '@opentelemetry/api'
 * import { inspectAuth, openTelemetryObserver } from 'authchart/inspect'
 *
 * const stop = inspectAuth(auth, openTelemetryObserver({ trace, metrics }))
 * ```
 *
 * @see https://opentelemetry.io/docs/specs/semconv/ for `error.type` and `http.response.status_code`
 */
export function openTelemetryObserver({ trace, metrics, tracer, meter }: TelemetryOptions): AuthObserver {
  const tracing = tracer ?? trace?.getTracer(SCOPE)
  const measuring = meter ?? metrics?.getMeter(SCOPE)
  const meters = measuring && createMeters(measuring)
  let name = ''
  let refresh: Period | undefined
  let hold: Period | undefined
  /** The outcome of the current refresh, from the event that precedes the change of state. */
  let outcome: Outcome | undefined
  let failure: string | undefined

  function begin(what: string, at: number, attributes: Attributes): Period {
    const span = tracing?.startSpan(`${SCOPE}.${what}`, {
      root: true,
      startTime: new Date(at),
      attributes: { 'authchart.name': name, ...attributes },
    })
    return { since: at, span, failures: 0, held: 0, rejected: 0 }
  }

  function endRefresh(at: number, how: Outcome) {
    if (!refresh) return
    const failed = how !== 'refreshed' && how !== 'abandoned'
    const attributes = {
      'authchart.refresh.outcome': how,
      ...(failed && { 'error.type': failure ?? how }),
    }
    meters?.refreshDuration.record(seconds(refresh.since, at), attributes)
    refresh.span?.setAttributes({ ...attributes, 'authchart.refresh.failures': refresh.failures })
    if (failed) refresh.span?.setStatus({ code: 2 })
    refresh.span?.end(new Date(at))
    refresh = undefined
    outcome = undefined
    failure = undefined
  }

  function endHold(at: number, how: 'released' | 'rejected' | 'abandoned') {
    if (!hold) return
    const attributes = { 'authchart.hold.outcome': how }
    meters?.holdDuration.record(seconds(hold.since, at), attributes)
    const { held, rejected } = hold
    hold.span?.setAttributes({
      ...attributes,
      'authchart.hold.requests': held,
      'authchart.hold.rejected': rejected,
    })
    if (how === 'rejected') hold.span?.setStatus({ code: 2 })
    hold.span?.end(new Date(at))
    hold = undefined
  }

  /** Starts or ends a refresh, and ends a hold, by what the chart came to in a step. */
  function follow(at: number, { value, context }: InspectedSnapshot) {
    const states = enteredStates(value)
    if (states.includes('refreshing.attempt.requesting')) {
      const { epoch = 0, generation = 0 } = context
      refresh ??= begin('refresh', at, { 'authchart.epoch': epoch, 'authchart.generation': generation })
    } else if (refresh) {
      const state = states.find((path) => path in OUTCOMES)
      if (state !== undefined) endRefresh(at, outcome ?? OUTCOMES[state] ?? 'abandoned')
      // The session ended, or started again with other tokens.
      else if (topState(value) !== 'refreshing') endRefresh(at, outcome ?? 'abandoned')
    }
    if (hold && !context.held) endHold(at, hold.rejected >= hold.held ? 'rejected' : 'released')
  }

  function count(event: AuthEmitted) {
    const { at } = event
    const reason = { 'error.type': wordOr(event.reason, '_OTHER') }
    switch (event.type) {
      case 'refreshed':
        if (refresh) outcome = 'refreshed'
        return
      case 'refreshFailed': {
        const attributes: Attributes = {
          ...reason,
          'authchart.refresh.fatal': event.fatal,
          ...(event.status !== undefined && { 'http.response.status_code': event.status }),
        }
        failure = reason['error.type']
        meters?.failures.add(1, attributes)
        if (refresh) refresh.failures++
        refresh?.span?.addEvent('authchart.refresh.failed', attributes, new Date(at))
        return
      }
      case 'requestHeld':
        hold ??= begin('hold', at, {})
        hold.held += event.count
        return meters?.held.add(event.count, {})
      case 'requestReplayed':
        return meters?.replayed.add(event.count, {})
      case 'requestRejected':
        if (hold) hold.rejected += event.count
        return meters?.rejected.add(event.count, reason)
      case 'signedIn':
        // The tokens are of another session than the one that was being refreshed.
        endRefresh(at, 'abandoned')
        return meters?.started.add(1, {})
      case 'expired':
      case 'signedOut':
        return meters?.ended.add(1, {
          'authchart.session.end': event.type === 'expired' ? 'expired' : 'signed_out',
          ...reason,
        })
      default:
        return
    }
  }

  return (frame: InspectionFrame) => {
    const { at } = frame
    if (frame.type === 'begin') {
      name = frame.name
      const { snapshot } = frame
      if (snapshot.context.held) hold = begin('hold', at, {})
      follow(at, snapshot)
    } else if (frame.type === 'emitted') count(frame.event)
    else if (frame.type === 'snapshot') follow(at, frame.snapshot)
    else if (frame.type === 'end') {
      endRefresh(at, 'abandoned')
      endHold(at, 'abandoned')
    }
  }
}

function seconds(from: number, to: number): number {
  return Math.max(0, to - from) / 1000
}
