import { peers } from '../scoreboard/peers.ts'
import type { Environment } from '../scoreboard/versions.ts'
import { clientOf } from './client-of.ts'
import type { RequestCost } from './requests.ts'
import type { SessionCost } from './sessions.ts'
import type { Size } from './sizes.ts'
import type { StormCost } from './storms.ts'

export interface Measured {
  readonly requests: readonly RequestCost[]
  readonly storms: readonly StormCost[]
  readonly sizes: readonly Size[]
  readonly sessions: readonly SessionCost[]
}

const GB = 1_000_000_000
const HALF = 2

const table = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map((_, index) => (index < HALF ? '---' : '--:')), ...body]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

const whole = (value: number) => Math.round(value).toLocaleString('en')
const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`

/** One line for each peer, in the order of the scoreboard. */
const lines = <T extends { readonly peer: string }>(
  all: readonly T[],
  cells: (one: T) => readonly string[],
): string[][] =>
  peers.flatMap((peer) => {
    const found = all.find((one) => one.peer === peer.name)
    return found ? [[peer.name, clientOf(peer), ...cells(found)]] : []
  })

interface Metric {
  readonly what: string
  /** What each peer costs. Less is better. */
  readonly costs: ReadonlyMap<string, number>
}

const metric = <T extends { readonly peer: string }>(
  what: string,
  all: readonly T[],
  cost: (one: T) => number | undefined,
): Metric => ({
  what,
  costs: new Map(
    all.flatMap((one) => {
      const value = cost(one)
      return value === undefined ? [] : [[one.peer, value] as const]
    }),
  ),
})

/** Compares each peer with authchart over the same client. */
export const ahead = ({ costs }: Metric): string[] =>
  peers.flatMap((peer) => {
    if (peer.name.startsWith('authchart/')) return []
    const own = costs.get(`authchart/${clientOf(peer)}`)
    const cost = costs.get(peer.name)
    return own !== undefined && cost !== undefined && cost < own ? [peer.name] : []
  })

const metricsOf = ({ requests, storms, sizes, sessions }: Measured): Metric[] => [
  metric('time of one request', requests, ({ added }) => added),
  metric('time of the storm', storms, ({ drainedIn, held }) => drainedIn / held),
  metric('memory of a waiting request', storms, ({ bytesEach }) => bytesEach),
  metric('size, with `xstate`', sizes, ({ gzip }) => gzip),
  metric('memory of a session', sessions, ({ bytesEach }) => bytesEach),
]

/** docs/benchmarks.md. */
export function benchmarksPage(measured: Measured, { date, node, machine, versions }: Environment): string {
  const { requests, storms, sizes, sessions } = measured
  return `# Benchmarks

What authchart costs, beside other libraries that send tokens or refresh them. The [scoreboard](scoreboard.md) shows what each of them does
for that cost.

<!-- Written by \`npm run bench:peers\`. Change bench/versus/page.ts instead of this file. -->

Measured on ${date} with Node ${node} on ${machine}. Versions: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')}.

All libraries run in one process, without a network: a stub answers at once, so that only the client and the library are measured. They
take turns in each round, and each is compared with neighbouring rounds of the bare client. Figures are medians. They differ by some percent
between runs, and by far more between machines; the order is what matters. Each library is set up [as on the
scoreboard](scoreboard.md#how-each-library-is-set-up), with its defaults.

\`\`\`sh
npm run build && npm run bench:peers
\`\`\`

## Where another library is ahead

${table(
  ['figure', 'libraries that cost less than authchart over the same client'],
  metricsOf(measured).map((one) => [one.what, ahead(one).join(', ') || 'none of them']),
)}

## One request

A GET of a signed-in session, whose answer is read as JSON. *Bare* is the client alone.

${table(
  ['library', 'client', 'bare, µs', 'added, µs', 'ratio'],
  lines(requests, ({ bare, added }) => [
    bare.toFixed(1),
    added.toFixed(1),
    `${((bare + added) / bare).toFixed(2)}×`,
  ]),
)}

## A storm

Requests that start while a refresh is running, in the number that the library can handle within 30 seconds, at most 50,000. *Drained* is
the time from the new token to the last answer. *Memory* is the heap that one waiting request holds, with what its client holds. Some
libraries let these requests wait; others send them with the old token, and let their 401s wait. Libraries that are missing here do not
end such a storm well: a request fails or never ends.

${table(
  ['library', 'client', 'requests', 'drained, ms', 'µs each', 'memory each, B'],
  lines(storms, ({ held, drainedIn, bytesEach }) => [
    whole(held),
    whole(drainedIn),
    ((drainedIn * 1000) / held).toFixed(1),
    whole(bytesEach),
  ]),
)}

## Size

What an app imports, bundled by esbuild for browsers: minified, production build, gzip 9. axios is left out for all, because the app has
it anyway; everything else counts, \`xstate\` included. The code from articles is part of the app.

${table(
  ['library', 'client', 'minified', 'gzip', 'gzip without `xstate`'],
  lines(sizes, ({ minified, gzip, gzipWithoutXstate }) => [
    kB(minified),
    kB(gzip),
    gzipWithoutXstate === undefined ? '' : kB(gzipWithoutXstate),
  ]),
)}

## Sessions

One idle session of a user after its first request, with the client that belongs to it, in a process with 1,000 of them. Libraries with a
session for each process cannot serve two users in one.

${table(
  ['library', 'client', 'memory each', 'sessions per GB'],
  lines(sessions, ({ bytesEach }) =>
    bytesEach === undefined
      ? ['one for each process', '']
      : [kB(bytesEach), whole(Math.floor(GB / bytesEach / 1000) * 1000)],
  ),
)}
`
}
