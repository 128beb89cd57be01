import { safeReturnPath } from '../bindings/return-path.ts'
import type { Signal, TokenResponse } from '../core/ports.ts'
import { whenShown } from '../environment/prerendered.ts'
import type { Connection } from './connection.ts'
import { oauthError, superseded } from './failure.ts'
import { once } from './once.ts'
import type { OAuthOptions, TransactionStore } from './options.ts'
import { isPage } from './page.ts'
import { handOver } from './popup-channel.ts'
import { redeem } from './redeem.ts'
import type { Transaction, Transactions } from './transactions.ts'

const stateOf = (answer: URLSearchParams) => answer.get('state') ?? ''

/** Redeems answers, each of them once: in this page, in all tabs, after a reload. */
export class Callback {
  readonly #connection: Connection<OAuthOptions>
  readonly #transactions: Transactions
  /** By the store of the sign-in, because a store belongs to one browser: a `state` alone can be copied to another one. */
  readonly #redemptions = new WeakMap<TransactionStore, Map<string, Promise<TokenResponse>>>()
  /** Where the user wanted to go, of the last answer. */
  returnTo: string | undefined

  constructor(connection: Connection<OAuthOptions>, transactions: Transactions) {
    this.#connection = connection
    this.#transactions = transactions
  }

  /**
   * Signs in with an answer.
   *
   * @returns the tokens; in a popup whose opener takes the answer, a promise that stays pending
   * @throws OAuthError; `already_used` if the answer was used before
   */
  async signIn({ searchParams }: URL, signal: Signal, transactions: Transactions): Promise<TokenResponse> {
    if (isPage()) {
      // A page that is only prerendered must not redeem anything: the user may never look at it.
      await whenShown()
      if (await this.handOver(searchParams)) return new Promise(() => {})
    }
    return this.redeem(searchParams, signal, transactions)
  }

  /** Hands an answer to the window that waits for it, if this is its popup. */
  async handOver(answer: URLSearchParams): Promise<boolean> {
    const state = stateOf(answer)
    const transaction = await this.#transactions.read(state)
    // If the opener keeps its sign-ins in memory, this window does not find them.
    return (!transaction || transaction.popup === true) && handOver(state, answer)
  }

  async redeem(answer: URLSearchParams, signal: Signal, transactions: Transactions): Promise<TokenResponse> {
    const state = stateOf(answer)
    // Before a redemption that runs is shared: only the browser that began the sign-in may have its tokens (RFC 9700 §4.7).
    await known(transactions, state)
    const { store } = transactions
    const redemptions = this.#redemptions.get(store) ?? new Map<string, Promise<TokenResponse>>()
    this.#redemptions.set(store, redemptions)
    const running = redemptions.get(state) ?? this.#redeemOnce(answer, state, transactions)
    // A promise of this call. The last call gets the tokens; a sign-in that it replaced must not, because it would revoke them.
    const tokens = running.then()
    redemptions.set(state, tokens)
    const isLast = () => redemptions.get(state) === tokens
    try {
      await tokens
      // The call that replaced this one may be about to arrive.
      if (signal.aborted) await new Promise((resolve) => setTimeout(resolve))
      if (!isLast()) throw superseded()
      return tokens
    } finally {
      if (isLast()) redemptions.delete(state)
    }
  }

  #redeemOnce(answer: URLSearchParams, state: string, transactions: Transactions): Promise<TokenResponse> {
    return once(`authchart.oauth2.${state}`, async () => {
      const transaction = await known(transactions, state)
      const { issuer, client, options } = this.#connection
      const { server, clientId, keyId, returnTo } = transaction
      // A code of one server must not reach another (RFC 9700 §4.4), and only its client can refresh what comes of it. The session
      // that began the sign-in can still use the answer.
      if (new URL(server.issuer).href !== issuer.href) throw oauthError('wrong_issuer')
      if (clientId !== client.client_id) throw oauthError('wrong_client')
      this.returnTo = returnTo === undefined ? undefined : safeReturnPath(returnTo)
      if (transaction.used) throw oauthError('already_used')
      if (keyId && (await options.dpop?.codeKeyId()) !== keyId) throw oauthError('key_lost')
      // Before the code leaves: if this page is closed meanwhile, no other one sends it again.
      await transactions.use(state, transaction)
      return redeem(this.#connection, answer, state, transaction)
    })
  }
}

/** The sign-in of an answer. */
async function known(transactions: Transactions, state: string): Promise<Transaction> {
  const transaction = await transactions.read(state)
  if (!transaction) throw oauthError('unknown_state')
  return transaction
}
