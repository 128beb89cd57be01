import type { HarnessRefresh } from './harness.ts'
import { deferred } from './waits.ts'

/** A `refresh` whose answer, once sent by the server, is delayed until `arrive()`. */
export const delayAnswer = (refresh: HarnessRefresh) => {
  const sent = deferred()
  const arrived = deferred()
  return {
    refresh: async (request: Parameters<HarnessRefresh>[0]) => {
      const response = await refresh(request)
      sent.resolve()
      await arrived.promise
      return response
    },
    /** Resolves once the server has answered. */
    sent: sent.promise,
    arrive: arrived.resolve,
  }
}
