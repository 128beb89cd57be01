import type { Coordinator, CoordinatorMessage, SessionRecord, SessionStorage } from '../../src/index.ts'
import type { VirtualClock } from '../../src/testing/index.ts'
import type { Recording } from './recording.ts'

/** Milliseconds until the other tab hears of something. */
const HEARD_AFTER = 2

/** What two tabs share: a store, and a lock that one of them has at a time. */
export function createSharing(clock: VirtualClock, recording: Recording) {
  let record: SessionRecord | undefined
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  const tabs = new Map<string, (message: CoordinatorMessage) => void>()

  const storage = (tab: string): SessionStorage => ({
    read() {
      recording.says(tab, '->>', 'Store', 'read')
      recording.says('Store', '-->>', tab, record === undefined ? 'nothing' : numbered(record))
      return record
    },
    write(next) {
      recording.says(tab, '->>', 'Store', `write ${numbered(next)}`)
      record = next
    },
    clear() {
      recording.says(tab, '->>', 'Store', 'clear')
      record = undefined
    },
  })

  const coordinator = (tab: string): Coordinator => ({
    async exclusive(_, task) {
      recording.says(tab, '->>', 'Lock', waiting > 0 ? 'wait for the lock' : 'take the lock')
      const held = waiting > 0
      waiting++
      const turn = last.then(async () => {
        if (held) recording.says('Lock', '-->>', tab, 'your turn')
        try {
          return await task()
        } finally {
          waiting--
          recording.says(tab, '->>', 'Lock', 'let go')
        }
      })
      last = turn.catch(() => {})
      return turn
    },
    announce(message) {
      for (const [other, listener] of tabs) {
        if (other === tab) continue
        recording.says(
          tab,
          '->>',
          other,
          message.type === 'changed' ? 'the session changed' : 'the session ended',
        )
        clock.setTimeout(() => listener(message), HEARD_AFTER)
      }
    },
    subscribe(listener) {
      tabs.set(tab, listener)
      return () => tabs.delete(tab)
    },
  })

  return { storage, coordinator }
}

/** Rotations count from the sign-in, tokens from 1. */
function numbered({ rotation }: SessionRecord): string {
  return `token ${rotation + 1}`
}
