import type { AnyAuth, Auth } from '../../core/auth.ts'
import { emittedFacts } from '../../inspect/facts.ts'
import type { InspectionFrame } from '../../inspect/frames.ts'
import { inspectAuth } from '../../inspect/inspect-auth.ts'
import { inspectRequests } from '../../inspect/inspect-requests.ts'
import { pathsOf } from './active-states.ts'
import { createLanes } from './lane.ts'
import { type Moment, momentOf, sessionFacts } from './moment.ts'
import type { Recording } from './recording.ts'

/** The part of a session that the tools look at, whatever its credentials and claims. */
export interface WatchableAuth extends AnyAuth, Pick<Auth, 'actor' | 'on' | 'history'> {
  readonly session: { readonly subject?: string; readonly scope?: string } | undefined
}

export interface RecorderOptions {
  readonly name: string
  /** The session's clock. */
  readonly now: () => number
  /** Told after each change. */
  readonly onChange: () => void
}

/** What is seen of a session that goes on. */
export interface Recorder extends Recording {
  /** How it stands. */
  readonly latest: Moment
  /** Requests whose callers wait. */
  readonly open: number
  /** Forgets what happened; what is still going on stays. */
  clear(): void
  stop(): void
}

/** What is kept: a session of a working day must not fill the memory of its page. */
const LIMIT = 2_000

/** A clock that nobody sets, near the one on the wall. */
export const steadyNow = () => performance.timeOrigin + performance.now()

/** Records a session from now on, and begins with what it remembers itself. */
export function record(auth: WatchableAuth, { name, now, onChange }: RecorderOptions): Recorder {
  const moments: Moment[] = []
  const lanes = createLanes(LIMIT)
  let latest: Moment | undefined

  function add(moment: Moment) {
    const same = partOfBurst(moments, moment)
    if (same) Object.assign(same, moment, { facts: { ...moment.facts, ...summed(same, moment) } })
    else moments.push(moment)
    latest = same ?? moment
    if (moments.length > LIMIT) moments.shift()
  }

  function hear(frame: InspectionFrame) {
    const seenAt = steadyNow()
    if (frame.type === 'emitted') add(momentOf(frame.event, seenAt, latest))
    else if (frame.type === 'begin' || frame.type === 'snapshot') {
      const { value, context } = frame.snapshot
      const { type, ...facts } = frame.type === 'begin' ? { type: 'begin' } : frame.event
      const active = pathsOf(value)
      const session = sessionFacts(context, auth.session?.scope)
      const moment: Moment = { at: frame.at, seenAt, source: 'chart', type, facts, active, session }
      if (frame.type === 'begin') latest = moment
      else add(moment)
    }
    onChange()
  }

  for (const event of auth.history) add(momentOf(emittedFacts(event), event.at, latest))
  const stops = [
    inspectAuth(auth, hear, { name, now }),
    inspectRequests(
      auth,
      (frame) => {
        lanes.take(frame)
        onChange()
      },
      { now: steadyNow },
    ),
  ]

  return {
    name,
    moments,
    lanes: lanes.lanes,
    get latest() {
      // The first frame comes before `inspectAuth` is back.
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
      for (const stop of stops) stop()
    },
  }
}

/**
 * Requests come by the hundred, and the chart hears of each: where the last two moments are such a pair, the next pair is
 * counted with it. The moment stays the same object, so that whoever looks at it still does.
 */
function partOfBurst(
  moments: readonly Moment[],
  { source, type, facts, active }: Moment,
): Moment | undefined {
  const [told, heard] = moments.slice(-2)
  if (told?.source !== 'told' || heard?.source !== 'chart' || !('count' in told.facts)) return undefined
  if (told.active.join() !== active.join()) return undefined
  const same = source === 'told' ? told : heard
  return same.type === type && same.facts.reason === facts.reason ? same : undefined
}

function summed({ facts: before }: Moment, { facts }: Moment) {
  return 'count' in facts ? { count: Number(before.count) + Number(facts.count) } : {}
}
