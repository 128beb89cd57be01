/**
 * What the session costs: per request while nothing happens, and when everything waits at once.
 *
 * Figures are medians of interleaved rounds; ratios are taken round by round, so that a machine whose speed drifts does
 * not show as a difference. `--json` prints one document for machines.
 */
import { measureHappyPath } from './happy-path.ts'
import { measureLoopback } from './loopback.ts'
import { measureStorms } from './storm.ts'
import { table } from './table.ts'

const json = process.argv.includes('--json')
const say = (text: string) => json || console.log(text)

say('Happy path over a stub: nanoseconds a request')
const happyPath = await measureHappyPath()
say(
  table(
    ['transport', 'bare', 'with session', 'added'],
    happyPath.map(({ transport, bare, session, added }) => [
      transport,
      bare.toFixed(0),
      session.toFixed(0),
      `${added.toFixed(0)} ns`,
    ]),
  ),
)

say('\nLoopback HTTP: time of the same requests, with session over bare')
const loopback = await measureLoopback()
say(
  table(
    ['transport', 'bare, µs a request', 'with session', 'ratio'],
    loopback.map(({ transport, bare, session, ratio }) => [
      transport,
      (bare / 1000).toFixed(1),
      (session / 1000).toFixed(1),
      `${ratio.toFixed(3)}×`,
    ]),
  ),
)

say('\nRefresh storm: requests that wait for one refresh, over a stub')
const { storms, exponent } = await measureStorms()
say(
  table(
    ['held', 'drained in', 'heap each'],
    storms.map(({ held, drainedIn, bytesEach }) => [
      held.toLocaleString('en'),
      `${drainedIn.toFixed(2)} ms`,
      `${bytesEach.toFixed(0)} B`,
    ]),
  ),
)
say(`growth exponent from 1,000 held on: ${exponent.toFixed(2)}`)

if (json) console.log(JSON.stringify({ happyPath, loopback, storms, exponent }, undefined, 2))
