import type { Coordinator } from './ports.ts'

/**
 * Gives a function that runs operations one after another, in the order they were asked for. Who gives up waiting for a
 * write and clears must not see that write land after the clearing.
 */
export function createTurns(): <T>(operation: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (operation) => {
    const result = last.then(operation)
    last = result.catch(() => {})
    return result
  }
}

/** Takes turns within one session, where there is nobody else to take turns with. */
export function localTurns(): Coordinator {
  const inTurn = createTurns()
  return {
    exclusive: (_, task) => inTurn(task),
    announce() {},
    subscribe: () => () => {},
  }
}
