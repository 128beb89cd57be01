import { compareUsers } from '../../../machines/policies.ts'
import type { InvokeSignal } from '../../../machines/ports.ts'
import type { TokenFacts } from '../../../machines/vocabulary.ts'
import { SignedOutError, SignInTimeoutError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { Abandoned } from '../platform/bounded-work.ts'
import type { Session, Signal } from '../ports.ts'
import { unwrapResponse } from './failure.ts'
import type { Revocation } from './revocation.ts'
import type { Sharing } from './sharing.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'
import type { Vault } from './vault.ts'

interface PendingSignIn {
  readonly credentials: unknown
  readonly resolve: (session: Session) => void
  readonly reject: (error: unknown) => void
}

/** The chart learns only that a sign-in failed: an app's error may hold credentials. */
const FAILED = /* @__PURE__ */ Object.freeze({ reason: 'sign_in_failed' })

const superseded = () => new SignedOutError({ reason: 'superseded' })

/** The pending sign-in. Its credentials wait here, outside the chart, until the chart starts it. */
export class SignIn {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #sharing: Sharing
  readonly #revocation: Revocation
  #pending: PendingSignIn | undefined
  /** Settles the caller's promise once the chart has moved on, so that the caller finds it there. */
  #complete: (() => unknown) | undefined

  constructor(kernel: Kernel, vault: Vault, sharing: Sharing, revocation: Revocation) {
    this.#kernel = kernel
    this.#vault = vault
    this.#sharing = sharing
    this.#revocation = revocation
  }

  /** Makes a sign-in the pending one; the one before it is rejected. */
  begin(credentials: unknown): Promise<Session> {
    this.cancel(superseded())
    return new Promise((resolve, reject) => {
      this.#pending = { credentials, resolve, reject }
      this.#vault.isSigningIn = true
    })
  }

  cancel(error: unknown): void {
    this.#pending?.reject(error)
    this.#pending = undefined
    this.#vault.isSigningIn = false
  }

  /** Runs the pending sign-in for the chart. `signal` aborts when the chart no longer waits for it. */
  async run(signal: InvokeSignal): Promise<TokenFacts> {
    const mine = this.#pending
    signal.addEventListener('abort', () => {
      if (this.#pending === mine) this.#vault.isSigningIn = false
    })
    try {
      if (!mine) throw new SignedOutError()
      const tokens = await this.#sharing.takeTurn(
        (timeLeft) => this.#request(mine, timeLeft, signal as Signal),
        this.#kernel.settings.timeouts.signIn,
      )
      const vault = this.#vault
      if (signal.aborted || this.#pending !== mine) {
        this.#giveWay(mine, tokens)
        throw superseded()
      }
      vault.begin(tokens)
      const { epoch } = vault
      const persisted = this.#sharing.persist()
      // What is announced must be true for the next page.
      if (persisted) await persisted
      if (!vault.tokens || vault.epoch !== epoch) throw superseded()
      const facts = vault.publish()
      const { session } = vault
      const complete = () => {
        if (session && vault.epoch === epoch) mine.resolve(session)
        else mine.reject(superseded())
      }
      if (signal.aborted) complete()
      else this.#complete = complete
      return facts
    } catch (error) {
      // If the chart has left already, no step of it will complete the sign-in.
      if (signal.aborted) mine?.reject(error)
      else this.#complete = () => mine?.reject(error)
      throw FAILED
    }
  }

  /** To be called when the chart has moved on. */
  complete(): void {
    if (!this.#complete) return
    this.#vault.isSigningIn = false
    this.#complete()
    this.#complete = undefined
  }

  /**
   * Drops tokens whose sign-in was replaced or given up. If the same user is signed in by now, such as by another tab, that
   * session is what the caller wanted. Its tokens may be of the same grant, which a revocation would end.
   */
  #giveWay(mine: PendingSignIn, tokens: Tokens): void {
    const { tokens: current, session } = this.#vault
    const isSameUser = current !== undefined && compareUsers(current.user, tokens.user) === 'same'
    this.#revocation.discard(tokens, !isSameUser)
    if (isSameUser && session) mine.resolve(session)
  }

  async #request(mine: PendingSignIn, timeLeft: number, cancelled: Signal): Promise<Tokens> {
    const { options, work } = this.#kernel
    if (this.#pending !== mine) throw superseded()
    try {
      return await work.run(async (signal) => {
        const response = await options.signIn?.(mine.credentials as never, { signal, cancelled })
        return parseTokenResponse(await unwrapResponse(response, signal), this.#kernel, true)
      }, timeLeft)
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error
      error.result.then((tokens: Tokens) => this.#giveWay(mine, tokens)).catch(() => {})
      throw error.reason ?? new SignInTimeoutError()
    }
  }
}
