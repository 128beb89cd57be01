import type { AuthorizationServer } from 'oauth4webapi'
import type { Clock } from '../core/ports.ts'
import { described, oauthError } from './failure.ts'
import type { TransactionStore } from './options.ts'
import { isPage } from './page.ts'

/** How long a sign-in may take, in milliseconds. */
const LIFETIME = 600_000
/** More are not stored at once: the oldest ones give way. */
const MOST = 20
/** The longest text that is read from a store. Some pages keep all of their state in the address that they return to. */
const LONGEST = 131_072

const PREFIX = 'authchart.oauth2.'
/** The longest `state` that is looked up. Those of this library have 43 characters. */
const LONGEST_STATE = 64

/** The part of the metadata that the answer is checked against. It is the server's that the user was sent to. */
export type TransactionServer = Pick<
  AuthorizationServer,
  | 'issuer'
  | 'token_endpoint'
  | 'authorization_response_iss_parameter_supported'
  | 'id_token_signing_alg_values_supported'
>

/** Whose sign-in it is. */
interface Begun {
  readonly startedAt: number
  readonly server: TransactionServer
  readonly clientId: string
  /** As the app gave it: it is checked when it is used. */
  readonly returnTo?: string | undefined
}

/** A sign-in that was sent to the server. The client that began it redeems the answer with what is written here. */
export interface Pending extends Begun {
  readonly used?: undefined
  readonly redirectUri: string
  readonly verifier: string
  /** What was asked for: an answer without a scope grants all of it (RFC 6749 §5.1). */
  readonly scope: string
  /** Missing if no ID token was asked for. */
  readonly nonce?: string | undefined
  /** The key that the code is bound to, if it is. */
  readonly keyId?: string | undefined
  readonly maxAge?: number | undefined
  /** The user who has to sign in. */
  readonly user?: { readonly iss: string; readonly sub: string } | undefined
  /** Whether another window waits for the answer. */
  readonly popup?: boolean | undefined
}

/** A sign-in whose answer was used. It has no secret any more. */
export interface Used extends Begun {
  readonly used: true
  readonly keyId?: undefined
  readonly popup?: undefined
}

export type Transaction = Pending | Used

/** Sign-ins in progress: one entry for each `state`, so that tabs cannot disturb each other. */
export class Transactions {
  readonly store: TransactionStore
  readonly #clock: Clock

  constructor(store: TransactionStore, clock: Clock) {
    this.store = store
    this.#clock = clock
  }

  /** @throws OAuthError `storage_failed` if the store fails, as the other methods do */
  async add(state: string, transaction: Pending): Promise<void> {
    await settled(() => this.#clean())
    await this.#write(state, transaction)
  }

  /** @returns nothing for a `state` that this browser has not made, or that has expired */
  async read(state: string): Promise<Transaction | undefined> {
    if (state.length > LONGEST_STATE) return undefined
    const found = parse(await settled(() => this.store.read(PREFIX + state)))
    return this.#orderOf(found) > 0 ? found : undefined
  }

  /** Removes the secrets of a transaction, and remembers that its answer is used. */
  use(state: string, { startedAt, server, clientId, returnTo }: Pending): Promise<unknown> {
    return this.#write(state, { startedAt, server, clientId, returnTo, used: true })
  }

  /** Forgets a sign-in whose answer nothing waits for. */
  remove(state: string): Promise<unknown> {
    return settled(() => this.store.remove(PREFIX + state))
  }

  #write(state: string, transaction: Transaction): Promise<unknown> {
    return settled(() => this.store.write(PREFIX + state, JSON.stringify(transaction)))
  }

  /**
   * The newest are the last to give way, and those whose answer was used the first: no user waits for them.
   *
   * @returns 0 for one that has expired
   */
  #orderOf({ startedAt = Number.NaN, used }: Partial<Transaction> = {}): number {
    // A clock that was set back does not keep one for ever.
    const isAlive = Math.abs(this.#clock.now() - startedAt) < LIFETIME
    return isAlive ? startedAt + (used ? 0 : LIFETIME) : 0
  }

  async #clean(): Promise<void> {
    const keys = [...(await this.store.keys())].filter((key) => key.startsWith(PREFIX))
    const entries = await Promise.all(
      keys.map(async (key) => ({ key, order: this.#orderOf(parse(await this.store.read(key))) })),
    )
    entries.sort((a, b) => b.order - a.order)
    const old = entries.filter(({ order }, index) => order <= 0 || index >= MOST - 1)
    for (const { key } of old) await this.store.remove(key)
  }
}

/** Some stores throw at once. */
async function settled(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    throw oauthError('storage_failed', described(error))
  }
}

/** What oauth4webapi is given, it checks itself. An entry without a time counts as expired. */
function parse(text: unknown): Transaction | undefined {
  try {
    const found = Object(JSON.parse(String(text).slice(0, LONGEST)))
    return found.server?.issuer && (found.used || found.verifier) ? found : undefined
  } catch {
    return undefined
  }
}

/**
 * A store of sign-ins in a `Storage`.
 *
 * @param storage returns the storage; a function, because reading `localStorage` may throw
 *
 * @example
 * ```ts
 * createOAuth({ issuer, clientId, redirectUri, transactions: webTransactions(() => sessionStorage) })
 * ```
 */
export const webTransactions = (storage: () => Storage): TransactionStore => ({
  read: (key) => storage().getItem(key),
  write: (key, text) => storage().setItem(key, text),
  remove: (key) => storage().removeItem(key),
  keys: () => Object.keys(storage()),
})

/**
 * A store of sign-ins in memory: for servers of one process, and for tests. They end with the process.
 *
 * @returns a new store, which shares nothing with another one
 *
 * @example
 * ```ts
 * createOAuth({ issuer, clientId, redirectUri, transactions: memoryTransactions() })
 * ```
 */
export function memoryTransactions(): TransactionStore {
  const texts = new Map<string, string>()
  return {
    read: (key) => texts.get(key),
    write: (key, text) => texts.set(key, text),
    remove: (key) => texts.delete(key),
    keys: () => texts.keys(),
  }
}

/** `localStorage`, or memory if it is blocked or missing. */
export function localTransactions(): TransactionStore {
  const store = webTransactions(() => localStorage)
  try {
    store.read(PREFIX)
    return store
  } catch {
    return memoryTransactions()
  }
}

/**
 * In a page `localStorage`, because a mail link opens another tab and some systems drop `sessionStorage` of web apps. Elsewhere
 * memory: what a runtime calls `localStorage` would be that of all users.
 */
export const defaultTransactions = (): TransactionStore =>
  isPage() ? localTransactions() : memoryTransactions()
