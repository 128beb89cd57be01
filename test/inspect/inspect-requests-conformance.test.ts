import { afterAll, expect } from 'vitest'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import type { TransportFactory } from '../../src/testing/index.ts'
import { conform, factoryOf } from '../conformance/conform.ts'
import { axiosHttpTransport, fetchTransport, type Transport } from '../conformance/transports.ts'

/** The frames that may follow each frame of a request. */
const NEXT: Readonly<Record<RequestFrame['type'], readonly RequestFrame['type'][]>> = {
  arrived: ['sent', 'held', 'rejected'],
  held: ['held', 'sent', 'replayed', 'rejected'],
  sent: ['answered', 'held', 'replayed', 'rejected'],
  // The request returns to the queue if the new token has already been replaced.
  answered: ['held', 'replayed', 'done', 'rejected'],
  replayed: ['answered', 'rejected'],
  done: [],
  rejected: [],
}

const seen = { requests: 0, done: 0, rejected: 0, replayed: 0 }

/** Creates the same transport, with an observer that checks each of its requests. */
const watchedFactory = (transport: Transport): TransportFactory => {
  const create = factoryOf(transport)
  return (auth, options) => {
    const types = new Map<number, RequestFrame['type']>()
    const wrong: string[] = []
    const stop = inspectRequests(auth, ({ id, type }) => {
      const before = types.get(id)
      types.set(id, type)
      if (!(before ? NEXT[before] : ['arrived']).includes(type)) wrong.push(`${before} → ${type}`)
      if (type === 'arrived') seen.requests++
      else if (type === 'done' || type === 'rejected' || type === 'replayed') seen[type]++
    })
    return {
      ...create(auth, options),
      close() {
        stop()
        const open = [...types.values()].filter((type) => NEXT[type].length > 0)
        expect({ wrong, open }).toEqual({ wrong: [], open: [] })
      },
    }
  }
}

for (const transport of [fetchTransport, axiosHttpTransport])
  conform(transport, ', with an observer of its requests', watchedFactory(transport))

afterAll(() => {
  expect(seen.done + seen.rejected).toBe(seen.requests)
  expect(seen.requests).toBeGreaterThan(1_000)
  expect(seen.replayed).toBeGreaterThan(100)
})
