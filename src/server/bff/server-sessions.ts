import { SessionExpiredError, SignedOutError } from '../../core/errors.ts'
import { createAuthFetch } from '../../transports/fetch.ts'
import type { AuthPool, PooledAuth } from '../pool-types.ts'
import type { ForwardedApi } from './forward.ts'
import type { ServerSession } from './types.ts'

/** The sessions of requests, for code of the server and for forwarded requests. */
export class ServerSessions {
  readonly #pool: AuthPool<unknown, unknown>
  readonly #apis: readonly ForwardedApi[]
  /** One `fetch` for each session in memory and API. */
  readonly #fetches = new WeakMap<object, Map<ForwardedApi | undefined, typeof fetch>>()

  constructor(pool: AuthPool<unknown, unknown>, apis: readonly ForwardedApi[]) {
    this.#pool = pool
    this.#apis = apis
  }

  /** @returns `undefined` if there is no session of that key any more */
  async find(key: string): Promise<ServerSession<unknown> | undefined> {
    try {
      const session = await this.#pool.use(key, (auth) => auth.session)
      if (!session) return undefined
      const { generation: _, epoch: __, ...facts } = session
      const send: typeof fetch = (input, init) =>
        this.#pool.use(key, (auth) => this.fetchOf(auth)(input, init))
      return { ...facts, fetch: send }
    } catch (error) {
      if (error instanceof SignedOutError || error instanceof SessionExpiredError) return undefined
      throw error
    }
  }

  /** @param api the only one that gets the token; without it, all of them do */
  fetchOf(auth: PooledAuth<unknown>, api?: ForwardedApi): typeof fetch {
    const fetches = this.#fetches.get(auth) ?? new Map<ForwardedApi | undefined, typeof fetch>()
    this.#fetches.set(auth, fetches)
    const made = fetches.get(api) ?? (api ? api.fetchOf(auth) : this.#fetchOfAll(auth))
    fetches.set(api, made)
    return made
  }

  #fetchOfAll(auth: PooledAuth<unknown>): typeof fetch {
    if (this.#apis.length === 0) return fetch
    return createAuthFetch(auth, {
      origins: this.#apis.map(({ origin }) => origin),
      allowInsecure: this.#apis.every(({ allowInsecure }) => allowInsecure),
    })
  }
}
