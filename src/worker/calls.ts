import type { Session } from '../core/vault.ts'
import type { Method, ToWorker } from './protocol.ts'

interface Call {
  readonly resolve: (session: Session | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Calls of the session's methods that the worker has not answered yet. */
export function createCalls(post: (message: ToWorker) => void, nextId: () => number) {
  const calls = new Map<number, Call>()

  function take(id: number): Call | undefined {
    const call = calls.get(id)
    calls.delete(id)
    return call
  }

  return {
    /** Rejects with the browser's `DataCloneError` where the argument cannot be sent. */
    call(method: Method, argument?: unknown): Promise<Session | undefined> {
      return new Promise((resolve, reject) => {
        const id = nextId()
        post({ type: 'call', id, method, ...(argument !== undefined && { argument }) })
        calls.set(id, { resolve, reject })
      })
    },
    resolve: (id: number, session: Session | undefined) => take(id)?.resolve(session),
    reject: (id: number, error: unknown) => take(id)?.reject(error),
    /** Rejects those up to an id. */
    rejectAll(error: unknown, last: number) {
      for (const id of [...calls.keys()]) if (id <= last) take(id)?.reject(error)
    },
    get pending() {
      return calls.size > 0
    },
  }
}
