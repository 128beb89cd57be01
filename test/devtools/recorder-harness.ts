/** A harness for tests of `record`. */
import { type Recorder, record, type WatchableAuth } from '../../src/devtools/recording/recorder.ts'
import type { VirtualClock } from '../../src/testing/index.ts'
import { type Harness, tokens } from '../core/auth-setup.ts'

interface Recordable {
  readonly auth: WatchableAuth
  readonly clock: VirtualClock
}

export const recording = ({ auth, clock }: Recordable, onChange = () => {}) =>
  record(auth, { name: 'mine', now: () => clock.now(), onChange })

/** The moments of a recording from an index on, as texts. */
export const labelsOf = ({ moments }: Recorder, from = 0) =>
  moments.slice(from).map(({ source, type }) => `${source} ${type}`)

/** Refreshes, and answers with token set `n`. */
export const refreshOnce = async ({ auth, clock, refresh }: Harness, n: number) => {
  auth.actor.send({ type: 'session.refresh' })
  await clock.advance(0)
  refresh.call().resolve(tokens(n))
  await clock.advance(0)
}
