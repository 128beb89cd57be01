/**
 * Measures what a session costs: for each request on the happy path, for each request held by a refresh, and for each
 * session in memory. The bench only prints; it never fails because of a figure.
 *
 * Figures are medians of interleaved rounds. Differences and ratios are taken between neighbouring rounds, so a machine
 * that changes its speed does not distort them. `--json` prints one JSON document.
 */
import { measureHappyPath } from './happy-path.ts'
import { measureLoopback } from './loopback.ts'
import { measureProofs } from './proof.ts'
import { measureSessions } from './sessions.ts'
import { measureStorms } from './storm.ts'
import { table } from './table.ts'

const json = process.argv.includes('--json')
const print = (text: string) => json || console.log(text)

print('Happy path over a stub: nanoseconds for each request')
const happyPath = await measureHappyPath()
print(
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

print('\nProof of possession (DPoP) over a stub: what a signature adds to one request')
const proofs = await measureProofs()
print(
  table(
    ['algorithm', 'bearer, µs', 'with proof', 'added'],
    proofs.map(({ algorithm, bearer, proven, added }) => [
      algorithm,
      (bearer / 1000).toFixed(1),
      (proven / 1000).toFixed(1),
      `${(added / 1_000_000).toFixed(3)} ms`,
    ]),
  ),
)

print('\nLoopback HTTP: time of the same requests, with session over bare')
const loopback = await measureLoopback()
print(
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

print('\nRefresh storm: requests that wait for one refresh, over a stub')
const { storms, exponent } = await measureStorms()
print(
  table(
    ['held', 'drained in', 'heap each'],
    storms.map(({ held, drainedIn, bytesEach }) => [
      held.toLocaleString('en'),
      `${drainedIn.toFixed(2)} ms`,
      `${bytesEach.toFixed(0)} B`,
    ]),
  ),
)
print(`growth exponent from 1,000 held on: ${exponent.toFixed(2)}`)

print('\nSessions: idle and signed in')
const sessions = await measureSessions()
print(
  table(
    ['sessions', 'heap each', 'left after dispose()', 'createAuth', 'bare actor', 'ratio'],
    [
      [
        sessions.sessions.toLocaleString('en'),
        `${(sessions.bytesEach / 1000).toFixed(1)} kB`,
        `${(sessions.bytesLeftEach / 1000).toFixed(2)} kB`,
        `${(sessions.createAuth / 1000).toFixed(0)} µs`,
        `${(sessions.bareActor / 1000).toFixed(1)} µs`,
        `${sessions.ratio.toFixed(1)}×`,
      ],
    ],
  ),
)

if (json)
  console.log(JSON.stringify({ happyPath, proofs, loopback, storms, exponent, sessions }, undefined, 2))
