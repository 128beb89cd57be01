import type { AuthEmitted } from '../../machines/index.ts'
import { wordOr } from './facts.ts'
import type { AuthObserver, InspectionFrame } from './frames.ts'
import { createMeters } from './meters.ts'
import { placeOf } from './step-text.ts'
import type { Attributes, TelemetryOptions, TelemetrySpan } from './telemetry.ts'

const SCOPE = 'authchart'

/** A stretch of time that is told when it is over: a refresh, or a time in which requests wait. */
interface Stretch {
  readonly since: number
  readonly span: TelemetrySpan | undefined
  failures: number
  held: number
  rejected: number
}

/** How a refresh ended. */
type Outcome = 'renewed' | 'expired' | 'last_token' | 'suspended' | 'offline' | 'abandoned'

/**
 * Tells OpenTelemetry of a session. Spans: `authchart.refresh`, from the first try to the outcome, with an event for each try
 * that failed; `authchart.hold`, from the first request that waits to the last. Both are roots, for they belong to no request
 * in particular. Beside them the duration of each as a histogram, in seconds, and counters.
 *
 * Attributes are facts: outcomes, reasons (`error.type`), statuses (`http.response.status_code`), numbers.
 *
 * @param options `trace` and `metrics` of `@opentelemetry/api` for what is registered there, or a `tracer` and a `meter`; what
 * is not given is not told
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
  let refresh: Stretch | undefined
  let hold: Stretch | undefined
  /** How the refresh under way seems to end: told by the event that comes before the state changes. */
  let outcome: Outcome | undefined
  let failure: string | undefined

  function begin(what: string, at: number, attributes: Attributes): Stretch {
    const span = tracing?.startSpan(`${SCOPE}.${what}`, {
      root: true,
      startTime: new Date(at),
      attributes: { 'authchart.name': name, ...attributes },
    })
    return { since: at, span, failures: 0, held: 0, rejected: 0 }
  }

  function endRefresh(at: number, how: Outcome) {
    if (!refresh) return
    const failed = how !== 'renewed' && how !== 'abandoned'
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

  /** Where the chart goes says when a refresh begins and ends. */
  function follow({ at, to, epoch, generation }: Extract<AuthEmitted, { type: 'transition' }>) {
    if (to === 'refreshing.exchange.requesting') {
      refresh ??= begin('refresh', at, { 'authchart.epoch': epoch, 'authchart.generation': generation })
    } else if (to === 'refreshing.exchange.suspended') endRefresh(at, 'suspended')
    else if (to === 'refreshing.exchange.offline') endRefresh(at, 'offline')
    else if (to === 'authenticated.terminal') endRefresh(at, 'last_token')
    else if (to === 'expired') endRefresh(at, 'expired')
    // On the way to `terminal` it passes through here.
    else if (to === 'authenticated.renewable') endRefresh(at, outcome ?? 'abandoned')
    // Gone elsewhere, or begun anew with other tokens.
    else if (!to.includes('.') && to !== 'authenticated') endRefresh(at, 'abandoned')
  }

  function count(event: AuthEmitted) {
    const { at } = event
    const reason = { 'error.type': wordOr(event.reason, '_OTHER') }
    switch (event.type) {
      case 'transition':
        return follow(event)
      case 'refreshed':
        if (refresh) outcome = 'renewed'
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
      const { value, context } = frame.snapshot
      if (placeOf(value).includes('exchange.requesting')) refresh = begin('refresh', at, {})
      if (context.held) hold = begin('hold', at, {})
    } else if (frame.type === 'emitted') count(frame.event)
    else if (frame.type === 'snapshot') {
      if (hold && !frame.snapshot.context.held)
        endHold(at, hold.rejected >= hold.held ? 'rejected' : 'released')
    } else if (frame.type === 'end') {
      endRefresh(at, 'abandoned')
      endHold(at, 'abandoned')
    }
  }
}

function seconds(from: number, to: number): number {
  return Math.max(0, to - from) / 1000
}
