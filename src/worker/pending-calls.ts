import type { Session } from '../core/ports.ts'
import type { Method, ToWorker } from './protocol.ts'

interface Call {
  readonly resolve: (session: Session | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Creates the record of method calls that wait for the response of the worker. */
export function createPendingCalls(post: (message: ToWorker) => void, nextId: () => number) {
  const calls = new Map<number, Call>()

  function take(id: number): Call | undefined {
    const call = calls.get(id)
    calls.delete(id)
    return call
  }

  return {
    /** Sends a call. Rejects with the browser's `DataCloneError` if the argument cannot be cloned. */
    call(method: Method, argument?: unknown): Promise<Session | undefined> {
      return new Promise((resolve, reject) => {
        const id = nextId()
        post({ type: 'call', id, method, ...(argument !== undefined && { argument }) })
        calls.set(id, { resolve, reject })
      })
    },
    resolve: (id: number, session: Session | undefined) => take(id)?.resolve(session),
    reject: (id: number, error: unknown) => take(id)?.reject(error),
    /** Rejects all calls with an id up to `last`. */
    rejectAll(error: unknown, last: number) {
      for (const id of [...calls.keys()]) if (id <= last) take(id)?.reject(error)
    },
    get pending() {
      return calls.size > 0
    },
  }
}
