import type { RequestFrame } from '../../inspect/request-frames.ts'

export type Phase = 'sent' | 'held' | 'replayed'

/** The life of one request. Times are in milliseconds, by the monotonic clock. */
export interface Lane {
  readonly id: number
  /** The method and the path: `GET /books`. */
  readonly name: string
  readonly origin: string
  readonly startedAt: number
  /** The phases and their start times. Each lasts until the next one begins. */
  readonly phases: readonly { readonly phase: Phase; readonly at: number }[]
  readonly endedAt?: number
  readonly outcome?: 'done' | 'rejected'
  /** The status of the last answer. */
  readonly status?: number
  /** Why it was rejected. */
  readonly reason?: string
}

/** Numbers of requests at some time. */
export interface Counts {
  readonly requests: number
  readonly inFlight: number
  readonly held: number
  readonly replayed: number
  readonly done: number
  readonly rejected: number
}

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }

/** Builds the lanes of the last requests from their frames. */
export function createLanes(limit: number) {
  const lanes: Writable<Lane>[] = []
  const open = new Map<number, Writable<Lane>>()

  function end(lane: Writable<Lane>, outcome: 'done' | 'rejected', at: number) {
    lane.outcome = outcome
    lane.endedAt = at
    open.delete(lane.id)
  }

  return {
    /** In the order of arrival. Always the same array. */
    lanes: lanes as readonly Lane[],
    /** The number of requests that have not ended. */
    get open(): number {
      return open.size
    },

    take(frame: RequestFrame) {
      const { id, at } = frame
      if (frame.type === 'arrived') {
        const lane = { id, name: frame.name, origin: frame.origin, startedAt: at, phases: [] }
        lanes.push(lane)
        open.set(id, lane)
        if (lanes.length > limit) lanes.shift()
        return
      }
      const lane = open.get(id)
      if (!lane) return
      if (frame.type === 'answered') lane.status = frame.status
      else if (frame.type === 'done') end(lane, 'done', at)
      else if (frame.type === 'rejected') {
        lane.reason = frame.reason
        end(lane, 'rejected', at)
      } else lane.phases.push({ phase: frame.type, at })
    },

    clear() {
      // Open requests include those that the limit dropped.
      lanes.splice(0, lanes.length, ...[...open.values()].slice(-limit))
    },
  }
}

export type Stage = Phase | 'done' | 'rejected'

/** Returns the stage of a request at a time; `undefined` if it had not arrived yet. */
export function stageAt({ startedAt, endedAt, outcome, phases }: Lane, time: number): Stage | undefined {
  if (startedAt > time) return undefined
  if (outcome && endedAt !== undefined && endedAt <= time) return outcome
  let stage: Stage = 'held'
  for (const { phase, at } of phases) if (at <= time) stage = phase
  return stage
}

export function countsAt(lanes: readonly Lane[], time: number): Counts {
  const stages = { sent: 0, held: 0, replayed: 0, done: 0, rejected: 0 }
  let requests = 0
  let replayed = 0
  for (const lane of lanes) {
    const stage = stageAt(lane, time)
    if (stage === undefined) continue
    requests++
    stages[stage]++
    if (lane.phases.some(({ phase, at }) => phase === 'replayed' && at <= time)) replayed++
  }
  const { sent, held, done, rejected } = stages
  return { requests, inFlight: sent + stages.replayed, held, replayed, done, rejected }
}
