import type { AuthEmitted } from '../../../machines/index.ts'
import { statePaths } from '../../../machines/state-path.ts'
import { type Auth, type AuthHandle, REQUEST_GATE, WORKER_FETCH } from '../../core/auth.ts'
import { followTokenless, type TokenlessRequest } from '../../core/platform/hints.ts'
import { emittedFacts } from '../../inspect/allow-list.ts'
import type { InspectionFrame } from '../../inspect/frames.ts'
import { inspectAuth } from '../../inspect/inspect-auth.ts'
import { inspectRequests } from '../../inspect/inspect-requests.ts'
import { createLanes } from './lane.ts'
import { type Moment, momentOf, sessionFacts } from './moment.ts'
import type { Recording } from './recording.ts'
import { collectTransitions } from './transitions.ts'

/** The members of a session that the devtools read. Any session fits, with any credentials and claims. */
export interface WatchableAuth extends AuthHandle, Pick<Auth, 'actor' | 'on' | 'history'> {
  /** What the panel shows of the session; `undefined` without one. */
  readonly session:
    | {
        /** The user, as the session names it. */
        readonly subject?: string
        /** The granted scope, separated by spaces. */
        readonly scope?: string
      }
    | undefined
}

export interface RecorderOptions {
  readonly name: string
  /** The clock of the session, in milliseconds since the Unix epoch. */
  readonly now: () => number
  /** Called after each change. */
  readonly onChange: () => void
}

/** A recording of a live session, which grows. */
export interface Recorder extends Recording {
  /** The current state of the session. */
  readonly latest: Moment
  /** The number of requests that have not ended. */
  readonly open: number
  /** Whether the session lives in a worker, so its requests cannot be recorded. */
  readonly isRemote: boolean
  /** Discards all moments and ended requests. Open requests stay. */
  clear(): void
  stop(): void
}

/** The maximum number of moments, and of requests: a session that lasts all day must not fill the memory. */
const LIMIT = 2_000

/** The monotonic clock: milliseconds since the Unix epoch, unaffected by changes of the system clock. */
export const steadyNow = () => performance.timeOrigin + performance.now()

/** Records a session from now on. The recording begins with `auth.history`. */
export function record(auth: WatchableAuth, { name, now, onChange }: RecorderOptions): Recorder {
  const moments: Moment[] = []
  const lanes = createLanes(LIMIT)
  let latest: Moment | undefined
  let step = 0
  let recalled = false
  let stopped = false
  const isRemote = auth[WORKER_FETCH] !== undefined

  function add(moment: Moment) {
    const same = partOfBurst(moments, moment)
    if (same) Object.assign(same, moment, { facts: { ...moment.facts, ...summed(same, moment) } })
    else moments.push(moment)
    latest = same ?? moment
    if (moments.length > LIMIT) moments.shift()
  }

  /** Adds the history of the session. A session in a worker has one only after the worker has answered. */
  function recall(history: readonly AuthEmitted[]) {
    if (recalled || history.length === 0) return
    recalled = true
    for (const event of history) add(momentOf(emittedFacts(event), event.at, moments.at(-1)))
  }

  function receive(frame: InspectionFrame) {
    if (stopped) return
    const seenAt = steadyNow()
    if (frame.type === 'emitted') {
      // The event is already the last one in the history: do not add it twice.
      if (isRemote) recall(auth.history.slice(0, -1))
      add({ ...momentOf(frame.event, seenAt, latest), step })
    } else if (frame.type === 'begin') latest = momentFrom(frame, 'begin', seenAt)
    else if (frame.type === 'snapshot') {
      if (isRemote) recall(auth.history)
      const { type, ...facts } = frame.event
      const taken = collected.take()
      add({ ...momentFrom(frame, type, seenAt), facts, step, ...(!isRemote && { transitions: taken }) })
      step++
    } else if (frame.type === 'end') {
      const { epoch, generation } = latest?.session ?? { epoch: 0, generation: 0 }
      const session = { epoch, generation, held: 0 }
      add({
        at: frame.at,
        seenAt,
        source: 'chart',
        type: 'end',
        facts: {},
        active: ['disposed'],
        session,
        step,
      })
    }
    onChange()
  }

  function momentFrom(
    { at, snapshot }: Extract<InspectionFrame, { type: 'begin' | 'snapshot' }>,
    type: string,
    seenAt: number,
  ): Moment {
    const session = sessionFacts(snapshot.context, auth.session?.scope)
    return { at, seenAt, source: 'chart', type, facts: {}, active: statePaths(snapshot.value), session }
  }

  function addTokenless({ at, reason, request }: TokenlessRequest) {
    const { active = [], session = { epoch: 0, generation: 0, held: 0 } } = latest ?? {}
    const facts = { reason, request }
    add({ at, seenAt: steadyNow(), source: 'emitted', type: 'withoutToken', facts, active, session, step })
    onChange()
  }

  if (!isRemote) recall(auth.history)
  const collected = collectTransitions(auth)
  const stops = [
    collected.stop,
    inspectAuth(auth, receive, { name, now }),
    inspectRequests(
      auth,
      (frame) => {
        lanes.take(frame)
        onChange()
      },
      { now: steadyNow },
    ),
    followTokenless(isRemote ? [auth] : [auth, auth[REQUEST_GATE]], addTokenless),
  ]

  return {
    name,
    moments,
    isRemote,
    lanes: lanes.lanes,
    get latest() {
      // `inspectAuth` sends the first frame before it returns, so `latest` is set.
      return latest as Moment
    },
    get open() {
      return lanes.open
    },
    clear() {
      moments.length = 0
      lanes.clear()
      onChange()
    },
    stop() {
      stopped = true
      for (const stop of stops) stop()
    },
  }
}

/**
 * Finds the moment of a burst that a new moment belongs to. Each held request gives an emitted event and a chart event, and
 * there may be hundreds: the next pair is counted in the last one. The moment stays the same object, so a view that shows it
 * stays valid.
 */
function partOfBurst(
  moments: readonly Moment[],
  { source, type, facts, active }: Moment,
): Moment | undefined {
  const [emitted, processed] = moments.slice(-2)
  if (emitted?.source !== 'emitted' || processed?.source !== 'chart') return undefined
  if (!('count' in emitted.facts) || emitted.active.join() !== active.join()) return undefined
  const same = source === 'emitted' ? emitted : processed
  return same.type === type && same.facts.reason === facts.reason ? same : undefined
}

function summed({ facts: before }: Moment, { facts }: Moment) {
  return 'count' in facts ? { count: Number(before.count) + Number(facts.count) } : {}
}
