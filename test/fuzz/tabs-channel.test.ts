import { expect } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { createAuth, defineStorage } from '../../src/index.ts'
import fc from '../support/property.ts'
import { clonable, likely } from './clonable.ts'
import { fuzz, settled } from './fuzz.ts'

const number = fc.oneof(fc.integer({ min: -1, max: 9 }), fc.double())

/** What a tab announces, without that this very session has ended. */
const announced = likely({
  type: fc.constantFrom('changed', 'changed', 'constructor'),
  epoch: number,
  generation: number,
  reason: fc.string(),
  session: fc.constantFrom('another', '__proto__'),
})
const endOfAnother = fc.record({
  type: fc.constant('ended'),
  epoch: number,
  generation: number,
  session: fc.constantFrom('another', '__proto__', 'x'.repeat(100_000)),
  extra: clonable,
})
const notEnded = clonable.filter((value) => (value as { type?: unknown } | null)?.type !== 'ended')

let sessions = 0

fuzz(
  'a tab goes on, whatever something else posts on its channel',
  fc.array(fc.oneof(announced, endOfAnother, notEnded), { maxLength: 60 }),
  async (messages) => {
    const name = `fuzz ${process.pid} ${++sessions}`
    let record: unknown
    let reads = 0
    const auth = createAuth({
      refresh: () => ({ access_token: 'new', refresh_token: 'rt-2' }),
      initialTokens: { access_token: 'a', refresh_token: 'rt-1', subject: 'ada' },
      coordinator: tabCoordinator({ name, storage: null }),
      storage: defineStorage({
        read: async () => {
          reads++
          return record
        },
        write(written) {
          record = written
        },
        clear() {
          record = undefined
        },
      }),
    })
    const foreign = new BroadcastChannel(name)
    const other = new BroadcastChannel(name)
    const last = new Promise<void>((resolve) => {
      other.onmessage = ({ data }) => data === name && resolve()
    })
    try {
      await auth.ready()
      for (const message of messages) {
        try {
          foreign.postMessage(message)
        } catch {
          // Node cannot post a `Blob` on a channel.
        }
      }
      foreign.postMessage(name)
      await settled('the last message', last)
      await new Promise((resolve) => setTimeout(resolve, 5))
      expect(auth.actor.getSnapshot().status).toBe('active')
      expect(auth.state).toBe('authenticated')
      // A flood is one look at the store, and at most one more for what came meanwhile.
      expect(reads).toBeLessThan(10)
      expect(await settled('a refresh', auth.refresh())).toMatchObject({ subject: 'ada' })
    } finally {
      auth.dispose()
      foreign.close()
      other.close()
    }
  },
)
