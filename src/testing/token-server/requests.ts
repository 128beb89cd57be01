import type { TokenServerRequest } from './types.ts'

type Predicate = (request: TokenServerRequest) => boolean

interface Waiter {
  readonly predicate: Predicate
  readonly resolve: (request: TokenServerRequest) => void
  readonly reject: (reason: unknown) => void
}

/** The log of all requests, and those who wait for one. */
export interface RequestLog {
  readonly entries: readonly TokenServerRequest[]
  /** Adds a request and tells its waiters. `noteStatus` notes the status of its answer. */
  arrive(request: Omit<TokenServerRequest, 'status'>): {
    readonly entry: TokenServerRequest
    readonly noteStatus: (status: number) => void
  }
  when(predicate: Predicate): Promise<TokenServerRequest>
  clear(): void
}

export const createRequestLog = (): RequestLog => {
  const entries: TokenServerRequest[] = []
  const waiters = new Set<Waiter>()

  const tell = (waiter: Waiter, entry: TokenServerRequest): void => {
    try {
      if (!waiter.predicate(entry)) return
      waiter.resolve(entry)
    } catch (error) {
      // A failing assertion inside a predicate belongs to the test that waits, not to the request.
      waiter.reject(error)
    }
    waiters.delete(waiter)
  }

  return {
    entries,
    arrive: (request) => {
      const entry = { ...request, status: 0 }
      entries.push(entry)
      for (const waiter of [...waiters]) tell(waiter, entry)
      const noteStatus = (status: number): void => {
        entry.status = status
      }
      return { entry, noteStatus }
    },
    when: (predicate) =>
      new Promise((resolve, reject) => {
        waiters.add({ predicate, resolve, reject })
      }),
    clear: () => {
      entries.length = 0
    },
  }
}
