import type { Coordinator, CoordinatorMessage } from '../core/ports.ts'
import { readPeerMessage } from '../core/session/peer-message.ts'
import { createPageChannel } from '../environment/page-channel.ts'

/** Delivered when the page returns from the back/forward cache: the session must check the store for missed changes. */
const MISSED: CoordinatorMessage = { type: 'changed', epoch: 0, generation: 0 }

/** Sends and receives coordinator messages over a `BroadcastChannel` of this name. */
export function createChannel(name: string): Pick<Coordinator, 'announce' | 'subscribe'> {
  const channel = createPageChannel(name)
  return {
    announce: (message) => channel.post(readPeerMessage(message)),
    subscribe(listener) {
      const onMessage = (data: unknown) => {
        const message = readPeerMessage(data)
        if (message) listener(message)
      }
      return channel.listen(onMessage, () => listener(MISSED))
    },
  }
}
