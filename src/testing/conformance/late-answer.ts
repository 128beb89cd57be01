import type { BenchRefresh } from './bench.ts'
import { deferred } from './waits.ts'

/** An exchange that the server has answered, and whose answer is on its way for as long as the scenario wants. */
export const delayAnswer = (refresh: BenchRefresh) => {
  const sent = deferred()
  const door = deferred()
  return {
    refresh: async (request: Parameters<BenchRefresh>[0]) => {
      const response = await refresh(request)
      sent.resolve()
      await door.promise
      return response
    },
    /** When the server has answered. */
    sent: sent.promise,
    arrive: door.resolve,
  }
}
