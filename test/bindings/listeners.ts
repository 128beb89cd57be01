/** Who listens to a session. */
import type { Auth } from 'authchart'

/** How many listen to the actor from now on. */
export function countListeners({ actor }: Pick<Auth<never>, 'actor'>): () => number {
  let count = 0
  const { subscribe } = actor
  actor.subscribe = ((...args: Parameters<typeof subscribe>) => {
    count++
    const subscription = subscribe.apply(actor, args)
    let left = false
    return {
      unsubscribe() {
        if (!left) count--
        left = true
        subscription.unsubscribe()
      },
    }
  }) as typeof subscribe
  return () => count
}

/** How many have begun to listen to the actor from now on, whether they listen still or not. */
export function countSubscriptions({ actor }: Pick<Auth<never>, 'actor'>): () => number {
  let count = 0
  const { subscribe } = actor
  actor.subscribe = ((...args: Parameters<typeof subscribe>) => {
    count++
    return subscribe.apply(actor, args)
  }) as typeof subscribe
  return () => count
}
