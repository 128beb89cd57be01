import { describe, expect, it } from 'vitest'
import { countsAt, createLanes, stageAt } from '../../src/devtools/recording/lane.ts'
import type { RequestFrame } from '../../src/inspect/index.ts'

const arrived = (id: number, at: number): RequestFrame => ({
  type: 'arrived',
  id,
  at,
  name: `GET /${id}`,
  origin: 'https://api.example.com',
})

const taking = (frames: readonly RequestFrame[], limit = 100) => {
  const lanes = createLanes(limit)
  for (const frame of frames) lanes.take(frame)
  return lanes
}

/** Gets a 401 at 20, is held from 21, replayed at 40, and done at 50. */
const REPLAYED: readonly RequestFrame[] = [
  arrived(1, 10),
  { type: 'sent', id: 1, at: 11 },
  { type: 'answered', id: 1, at: 20, status: 401 },
  { type: 'held', id: 1, at: 21 },
  { type: 'replayed', id: 1, at: 40 },
  { type: 'answered', id: 1, at: 49, status: 200 },
  { type: 'done', id: 1, at: 50 },
]

const REJECTED: readonly RequestFrame[] = [
  arrived(2, 15),
  { type: 'held', id: 2, at: 15 },
  { type: 'rejected', id: 2, at: 30, reason: 'aborted' },
]

describe('createLanes', () => {
  it('records the phases and the outcome of each request', () => {
    expect(taking([...REPLAYED, ...REJECTED]).lanes).toEqual([
      {
        id: 1,
        name: 'GET /1',
        origin: 'https://api.example.com',
        startedAt: 10,
        phases: [
          { phase: 'sent', at: 11 },
          { phase: 'held', at: 21 },
          { phase: 'replayed', at: 40 },
        ],
        status: 200,
        outcome: 'done',
        endedAt: 50,
      },
      {
        id: 2,
        name: 'GET /2',
        origin: 'https://api.example.com',
        startedAt: 15,
        phases: [{ phase: 'held', at: 15 }],
        outcome: 'rejected',
        reason: 'aborted',
        endedAt: 30,
      },
    ])
  })

  it('keeps requests in the order of arrival, in the same array', () => {
    const lanes = createLanes(100)
    const { lanes: same } = lanes
    for (const id of [3, 1, 2]) lanes.take(arrived(id, id))

    expect(same.map(({ id }) => id)).toEqual([3, 1, 2])
    expect(lanes.lanes).toBe(same)
  })

  it('counts open requests', () => {
    const lanes = taking([...REPLAYED, ...REJECTED.slice(0, -1), arrived(3, 60)])

    expect(lanes.open).toBe(2)
  })

  it('ignores frames of requests that did not arrive or have ended', () => {
    const lanes = taking([
      { type: 'sent', id: 9, at: 1 },
      { type: 'done', id: 9, at: 2 },
      ...REPLAYED,
      { type: 'sent', id: 1, at: 60 },
      { type: 'rejected', id: 1, at: 61, reason: 'failed' },
    ])

    expect(lanes.lanes).toHaveLength(1)
    expect(lanes.lanes[0]).toMatchObject({ outcome: 'done', endedAt: 50, phases: { length: 3 } })
    expect(lanes.open).toBe(0)
  })

  it('drops the oldest lane above the limit, but counts its request while it is open', () => {
    const lanes = taking([arrived(1, 1), arrived(2, 2), arrived(3, 3), arrived(4, 4)], 3)

    expect(lanes.lanes.map(({ id }) => id)).toEqual([2, 3, 4])
    expect(lanes.open).toBe(4)
    lanes.take({ type: 'done', id: 1, at: 5 })
    expect(lanes.open).toBe(3)
  })

  it('keeps only open requests when it is cleared', () => {
    const lanes = taking([...REPLAYED, ...REJECTED.slice(0, -1), arrived(3, 60)])
    const { lanes: same } = lanes

    lanes.clear()

    expect(same.map(({ id }) => id)).toEqual([2, 3])
    lanes.take({ type: 'done', id: 3, at: 70 })
    expect(same[1]).toMatchObject({ outcome: 'done' })
    expect(lanes.open).toBe(1)
  })
})

describe('clearing lanes', () => {
  it('keeps at most as many open requests as the limit', () => {
    const lanes = taking(
      [1, 2, 3, 4, 5].map((id) => arrived(id, id)),
      3,
    )

    lanes.clear()
    expect(lanes.lanes.map(({ id }) => id)).toEqual([3, 4, 5])
    expect(lanes.open).toBe(5)
    lanes.take(arrived(6, 6))
    expect(lanes.lanes.map(({ id }) => id)).toEqual([4, 5, 6])
  })
})

describe('stageAt', () => {
  const [replayed, rejected] = taking([...REPLAYED, ...REJECTED]).lanes

  it.each([
    [9, undefined],
    [10, 'held'],
    [11, 'sent'],
    [20, 'sent'],
    [21, 'held'],
    [39, 'held'],
    [40, 'replayed'],
    [49, 'replayed'],
    [50, 'done'],
    [99, 'done'],
  ])('returns at time %i the stage %s', (at, stage) => {
    expect(replayed && stageAt(replayed, at)).toBe(stage)
  })

  it('returns rejected from the time of the rejection on', () => {
    expect([14, 15, 29, 30].map((at) => rejected && stageAt(rejected, at))).toEqual([
      undefined,
      'held',
      'held',
      'rejected',
    ])
  })

  it('returns the last stage while a request is open', () => {
    const [open] = taking(REPLAYED.slice(0, 5)).lanes

    expect(open && stageAt(open, 1e9)).toBe('replayed')
  })
})

describe('countsAt', () => {
  const { lanes } = taking([...REPLAYED, ...REJECTED, arrived(3, 45), { type: 'sent', id: 3, at: 45 }])

  it.each([
    [5, { requests: 0, inFlight: 0, held: 0, replayed: 0, done: 0, rejected: 0 }],
    [15, { requests: 2, inFlight: 1, held: 1, replayed: 0, done: 0, rejected: 0 }],
    [25, { requests: 2, inFlight: 0, held: 2, replayed: 0, done: 0, rejected: 0 }],
    [45, { requests: 3, inFlight: 2, held: 0, replayed: 1, done: 0, rejected: 1 }],
    [99, { requests: 3, inFlight: 1, held: 0, replayed: 1, done: 1, rejected: 1 }],
  ])('counts requests at time %i', (at, counts) => {
    expect(countsAt(lanes, at)).toEqual(counts)
  })

  it('counts each request once: in flight, held or ended', () => {
    for (let at = 0; at < 100; at++) {
      const { requests, inFlight, held, done, rejected } = countsAt(lanes, at)
      expect(inFlight + held + done + rejected).toBe(requests)
    }
  })
})
