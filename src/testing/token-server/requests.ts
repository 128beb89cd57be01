/** One request as the server saw it, on any route, including preflights. */
export interface TokenServerRequest {
  /** Arrival by the server's clock, in milliseconds since the epoch. */
  readonly at: number
  /** The method in upper case. */
  readonly method: string
  /** The whole URL. */
  readonly url: string
  /** The path without the query. */
  readonly path: string
  /** The query with its question mark, or an empty string. */
  readonly search: string
  /** The `Authorization` header as sent. */
  readonly authorization?: string
  /**
   * The position of the presented token within its session, valid or not. The first one is 1. API requests present the access
   * token of the header; the token and revocation endpoints read the token from the body or the cookie.
   */
  readonly generation?: number
  /** The answered status. It is 0 until there is an answer, and stays 0 after a drop or a hang. */
  readonly status: number
  /** The body as UTF-8 text; an empty string without a body. */
  readonly bodyText: string
  /** The body as it was sent; empty without a body. */
  readonly bodyBytes: Uint8Array
  /** All request headers, names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

type Predicate = (request: TokenServerRequest) => boolean

interface Waiter {
  readonly predicate: Predicate
  readonly resolve: (request: TokenServerRequest) => void
  readonly reject: (reason: unknown) => void
}

/** The log of all requests, and the promises that wait for a matching request. */
export interface RequestLog {
  readonly entries: readonly TokenServerRequest[]
  /** Adds a request and notifies the waiters. `noteStatus` records the status of its answer. */
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

  const notify = (waiter: Waiter, entry: TokenServerRequest): void => {
    try {
      if (!waiter.predicate(entry)) return
      waiter.resolve(entry)
    } catch (error) {
      // An assertion that fails inside a predicate must fail the waiting test, not the request.
      waiter.reject(error)
    }
    waiters.delete(waiter)
  }

  return {
    entries,
    arrive: (request) => {
      const entry = { ...request, status: 0 }
      entries.push(entry)
      for (const waiter of [...waiters]) notify(waiter, entry)
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
