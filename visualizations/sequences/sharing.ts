import {
  type CoordinatorMessage,
  defineCoordinator,
  defineStorage,
  type SessionRecord,
} from '../../src/index.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import type { Recording } from './recording.ts'

/** How long an announcement takes to reach the other tab, in milliseconds. */
const ANNOUNCEMENT_DELAY = 2

/** Creates what two tabs share: a store, and an exclusive lock. */
export function createSharing(clock: VirtualClock, recording: Recording) {
  let record: SessionRecord | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const tabs = new Map<string, (message: CoordinatorMessage) => void>()

  const storage = (tab: string) =>
    defineStorage({
      read() {
        recording.message(tab, '->>', 'Store', 'read')
        recording.message('Store', '-->>', tab, record === undefined ? 'nothing' : numbered(record))
        return record
      },
      write(next) {
        recording.message(tab, '->>', 'Store', `write ${numbered(next)}`)
        record = next
      },
      clear() {
        recording.message(tab, '->>', 'Store', 'clear')
        record = undefined
      },
    })

  const coordinator = (tab: string) =>
    defineCoordinator({
      async exclusive(_, task) {
        recording.message(tab, '->>', 'Lock', waiting > 0 ? 'wait for the lock' : 'take the lock')
        const held = waiting > 0
        waiting++
        const turn = last.then(async () => {
          if (held) recording.message('Lock', '-->>', tab, 'your turn')
          try {
            return await task()
          } finally {
            waiting--
            recording.message(tab, '->>', 'Lock', 'release the lock')
          }
        })
        last = turn.catch(() => {})
        return turn
      },
      announce(message) {
        for (const [other, listener] of tabs) {
          if (other === tab) continue
          recording.message(
            tab,
            '->>',
            other,
            message.type === 'changed' ? 'the session changed' : 'the session ended',
          )
          clock.setTimeout(() => listener(message), ANNOUNCEMENT_DELAY)
        }
      },
      subscribe(listener) {
        tabs.set(tab, listener)
        return () => tabs.delete(tab)
      },
    })

  return { storage, coordinator }
}

/** Names the token of a record. Rotations start at 0, tokens at 1. */
function numbered({ rotation }: SessionRecord): string {
  return `token ${rotation + 1}`
}
