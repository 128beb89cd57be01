import type { TelemetryMeter } from './telemetry.ts'

/** In seconds: from an answer out of the cache of a server nearby to as long as anybody waits. */
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60]

/** What is counted and measured. */
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
      'From the first try of a refresh to its outcome.',
    ),
    holdDuration: duration(
      'authchart.hold.duration',
      'From the first request that has to wait to the moment when none waits any more.',
    ),
    failures: counter('authchart.refresh.failures', '{failure}', 'Tries of a refresh that failed.'),
    held: counter('authchart.requests.held', '{request}', 'Requests that had to wait for a token.'),
    replayed: counter(
      'authchart.requests.replayed',
      '{request}',
      'Requests that were sent again after a 401.',
    ),
    rejected: counter(
      'authchart.requests.rejected',
      '{request}',
      'Requests that waited and were turned away.',
    ),
    started: counter(
      'authchart.session.starts',
      '{session}',
      'Sessions that began: sign-ins, and tokens from elsewhere.',
    ),
    ended: counter(
      'authchart.session.ends',
      '{session}',
      'Sessions that ended, by themselves or by a sign-out.',
    ),
  }
}

export type Meters = ReturnType<typeof createMeters>
