import type { TelemetryMeter } from './telemetry.ts'

/** Histogram boundaries, in seconds: from a cached answer of a nearby server to the longest wait that a user accepts. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60]

/** Creates the counters and histograms. */
export function createMeters(meter: TelemetryMeter) {
  const duration = (name: string, description: string) =>
    meter.createHistogram(name, {
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDARIES },
    })
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(name, { description, unit })

  return {
    refreshDuration: duration(
      'authchart.refresh.duration',
      'From the first attempt of a refresh to its outcome.',
    ),
    holdDuration: duration(
      'authchart.hold.duration',
      'From the first held request until no request is held.',
    ),
    failures: counter('authchart.refresh.failures', '{failure}', 'Failed attempts of a refresh.'),
    held: counter('authchart.requests.held', '{request}', 'Requests that waited for a token.'),
    replayed: counter('authchart.requests.replayed', '{request}', 'Requests that were replayed after a 401.'),
    rejected: counter('authchart.requests.rejected', '{request}', 'Held requests that were rejected.'),
    started: counter(
      'authchart.session.starts',
      '{session}',
      'Sessions that started: sign-ins, and tokens from another source.',
    ),
    ended: counter('authchart.session.ends', '{session}', 'Sessions that ended: expired or signed out.'),
  }
}
