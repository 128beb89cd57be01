import type { AuthEmitted } from '../../../machines/index.ts'
import { type AnyAuth, type Auth, FETCH } from '../../core/auth.ts'
import { emittedFacts } from '../../inspect/facts.ts'
import type { InspectionFrame } from '../../inspect/frames.ts'
import { inspectAuth } from '../../inspect/inspect-auth.ts'
import { inspectRequests } from '../../inspect/inspect-requests.ts'
import { pathsOf } from './active-states.ts'
import { createLanes } from './lane.ts'
import { type Moment, momentOf, sessionFacts } from './moment.ts'
import type { Recording } from './recording.ts'
import { collectTaken } from './taken.ts'

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
  /** Whether the session lives in a worker, which sends its requests unseen. */
  readonly isRemote: boolean
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
  let step = 0
  let recalled = false
  let stopped = false
  const isRemote = auth[FETCH] !== undefined

  function add(moment: Moment) {
    const same = partOfBurst(moments, moment)
    if (same) Object.assign(same, moment, { facts: { ...moment.facts, ...summed(same, moment) } })
    else moments.push(moment)
    latest = same ?? moment
    if (moments.length > LIMIT) moments.shift()
  }

  /** What the session remembers by itself; one in a worker does so once the worker has answered. */
  function recall(history: readonly AuthEmitted[]) {
    if (recalled || history.length === 0) return
    recalled = true
    for (const event of history) add(momentOf(emittedFacts(event), event.at, moments.at(-1)))
  }

  function hear(frame: InspectionFrame) {
    if (stopped) return
    const seenAt = steadyNow()
    if (frame.type === 'emitted') {
      // It stands at the end of the history by now.
      if (isRemote) recall(auth.history.slice(0, -1))
      add({ ...momentOf(frame.event, seenAt, latest), step })
    } else if (frame.type === 'begin') latest = standing(frame, 'begin', seenAt)
    else if (frame.type === 'snapshot') {
      if (isRemote) recall(auth.history)
      const { type, ...facts } = frame.event
      const taken = transitions.take()
      const last = moments.at(-1)
      // Not every state tells that it was entered: what was told last stands as the step left it.
      if (last?.source === 'told' && last.step === step)
        Object.assign(last, { active: pathsOf(frame.snapshot.value) })
      add({ ...standing(frame, type, seenAt), facts, step, ...(!isRemote && { taken }) })
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

  function standing(
    { at, snapshot }: Extract<InspectionFrame, { type: 'begin' | 'snapshot' }>,
    type: string,
    seenAt: number,
  ): Moment {
    const session = sessionFacts(snapshot.context, auth.session?.scope)
    return { at, seenAt, source: 'chart', type, facts: {}, active: pathsOf(snapshot.value), session }
  }

  if (!isRemote) recall(auth.history)
  const transitions = collectTaken(auth)
  const stops = [
    transitions.stop,
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
    isRemote,
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
      stopped = true
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
