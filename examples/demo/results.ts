import type { AuthEmitted } from '../../src/index.ts'
import type { Fault } from './faults.ts'
import type { Rejection, Tally } from './load.ts'
import type { Screen } from './screen.ts'

/** The least number of expired access tokens. A run with fewer proves little. */
export const LEAST_EXPIRIES = 3

/** The results of a run of the demo. */
export interface Results {
  /** How many requests were sent at once. */
  readonly atOnce: number
  /** By client, and for `all` of them. */
  readonly requests: Readonly<Record<string, Summary>>
  /** The first requests that did not succeed, in words. */
  readonly failures: readonly string[]
  readonly held: number
  readonly replayed: number
  readonly refreshes: number
  readonly refreshesRetried: number
  /** Access tokens that expired, and those that were revoked. */
  readonly expiries: number
  readonly revocations: number
  /** Refresh tokens presented a second time. */
  readonly reuseDetections: number
  /** 401s of the API; `late` counts those that came after the work was done. */
  readonly refusals: { readonly all: number; readonly late: number }
  readonly faults: Readonly<Record<Fault, number>>
  /** The state after the server ended the session. */
  readonly end: {
    readonly state: string
    /** How the next request through each client was rejected. */
    readonly rejections: Readonly<Record<string, Rejection>>
    readonly history: readonly AuthEmitted[]
  }
}

export interface Summary {
  readonly sent: number
  readonly succeeded: number
  readonly unauthorized: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export const summaries = (tallies: Readonly<Record<string, Tally>>) =>
  Object.fromEntries(Object.entries(tallies).map(([name, tally]) => [name, summarize(tally)]))

function summarize({ sent, succeeded, unauthorized, latencies }: Tally): Summary {
  const sorted = [...latencies].sort((a, b) => a - b)
  const percentile = (part: number) => Math.round(sorted[Math.ceil(sorted.length * part) - 1] ?? 0)
  return { sent, succeeded, unauthorized, p50: percentile(0.5), p99: percentile(0.99) }
}

/** Lists everything that is not as it must be. */
export function problemsIn(results: Results): string[] {
  const { requests, failures, expiries, revocations, reuseDetections, refusals, faults, end } = results
  const { sent = 0, succeeded = 0, unauthorized = 0 } = requests.all ?? {}
  const rejections = Object.entries(end.rejections)
  const checks: [boolean, string][] = [
    [succeeded > 0 && succeeded === sent, `${sent - succeeded} of ${sent} requests failed`],
    [unauthorized === 0, `${unauthorized} 401s reached the app`],
    [reuseDetections === 0, `${reuseDetections} refresh tokens were presented twice`],
    [expiries >= LEAST_EXPIRIES, `only ${expiries} access tokens expired`],
    [revocations >= 1, 'no access token was revoked'],
    [refusals.late >= 1, 'no 401 came late'],
    [refusals.all >= results.atOnce / 2, `the API answered only ${refusals.all} 401s`],
    ...Object.entries(faults).map(([fault, times]): [boolean, string] => [times >= 1, `no fault: ${fault}`]),
    [end.state === 'expired', `the session ended as ${end.state}`],
    ...rejections.map(([client, { name }]): [boolean, string] => [
      name === 'SessionExpiredError',
      `${client} was rejected with ${name}`,
    ]),
  ]
  return [...checks.flatMap(([right, problem]) => (right ? [] : [problem])), ...failures]
}

export function printTable({ line, paint }: Screen, results: Results) {
  const { requests, refusals, faults } = results
  const columns = Object.values(requests)
  const row = (label: string, ...cells: (number | string)[]) =>
    line(`  ${label.padEnd(34)}${cells.map((cell) => cell.toLocaleString('en').padStart(9)).join('')}`)

  const heads = Object.keys(requests).map((name) => name.padStart(9))
  line(paint('bold', ' '.repeat(36) + heads.join('')))
  row('requests sent', ...columns.map(({ sent }) => sent))
  row('succeeded', ...columns.map(({ succeeded }) => succeeded))
  row('401s the app saw', ...columns.map(({ unauthorized }) => unauthorized))
  row('latency p50, ms', ...columns.map(({ p50 }) => p50))
  row('latency p99, ms', ...columns.map(({ p99 }) => p99))
  line()
  row('requests held', results.held)
  row('requests replayed', results.replayed)
  row('refreshes', results.refreshes)
  row('refreshes that failed, retried', results.refreshesRetried)
  row('refresh token reuse detections', results.reuseDetections)
  line()
  row('access tokens expired', results.expiries)
  row('access tokens revoked', results.revocations)
  row('401s the API answered', refusals.all)
  row('... when the work was done', refusals.late)
  row('token endpoint: 500', faults.serverError)
  row('token endpoint: 429', faults.tooManyRequests)
  row('token endpoint: dropped', faults.dropped)
}
