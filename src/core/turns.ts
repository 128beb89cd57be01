import type { Coordinator } from './ports.ts'

/** Takes turns within one session, where there is nobody else to take turns with. */
export function localTurns(): Coordinator {
  let last: Promise<unknown> = Promise.resolve()
  return {
    exclusive(_, task) {
      const turn = last.then(task)
      last = turn.catch(() => {})
      return turn
    },
    announce() {},
    subscribe: () => () => {},
  }
}
