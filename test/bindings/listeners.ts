/** Counts the listeners of a session. */
import type { Auth } from 'authchart'

/** Counts the current listeners of the actor that are added from now on. */
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

/** Counts all listeners of the actor that are added from now on, including those removed again. */
export function countSubscriptions({ actor }: Pick<Auth<never>, 'actor'>): () => number {
  let count = 0
  const { subscribe } = actor
  actor.subscribe = ((...args: Parameters<typeof subscribe>) => {
    count++
    return subscribe.apply(actor, args)
  }) as typeof subscribe
  return () => count
}
