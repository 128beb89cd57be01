import { AwaitedAnswer } from '../coordination/awaited-answer.ts'
import type { CoordinatorFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { Coordinator, CoordinatorMessage } from '../core/ports.ts'
import type { Fleet } from './fleet.ts'
import { LONGEST_LOOK, takeTurn } from './turn.ts'

/** The longest message that is read, in characters. */
const LONGEST = 2_000

/**
 * Lets the processes of a fleet take turns to refresh one session.
 *
 * @param key the session's key in the fleet
 * @param owner a random name of this process
 */
export function fleetCoordinator(fleet: Fleet, key: string, owner: string): CoordinatorFeature {
  const awaited = new AwaitedAnswer<number>(LONGEST_LOOK)
  return withSharing<Coordinator>({
    lock: 'required',
    async exclusive(_name, task, wait) {
      const turn = await takeTurn(fleet, key, owner, wait, awaited)
      try {
        return await task(turn)
      } finally {
        await turn.release()
      }
    },
    announce(message) {
      // Of changes, the database notifies the other processes.
      if (message.type !== 'ended') return
      fleet.publish(key, JSON.stringify({ ...message, from: owner })).catch(() => {})
    },
    subscribe: (listener) =>
      fleet.subscribe(key, (text) => {
        const message = parse(text)
        if (message && message.from !== owner) listener(message)
      }),
  })
}

/** The session checks the fields. */
function parse(text: string): (CoordinatorMessage & { readonly from?: string }) | undefined {
  if (!text.startsWith('{') || text.length > LONGEST) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
