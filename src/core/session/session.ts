import type { InvokeSignal, SessionPort } from '../../../machines/ports.ts'
import type { ChartContext, TokenFacts } from '../../../machines/vocabulary.ts'
import { SignedOutError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Session, TokenResponse } from '../ports.ts'
import { Refresh } from './refresh.ts'
import { Revocation } from './revocation.ts'
import type { Sharing } from './sharing.ts'
import { SignIn } from './sign-in.ts'
import { parseTokenResponse } from './token-response.ts'
import type { Vault } from './vault.ts'

/** The event by which the user signs out of the session of that epoch. */
export interface SignOutEvent {
  readonly type: 'session.signOut'
  readonly epoch: number
}

/**
 * The only owner of tokens: in memory, in the store, on their way from the server, and on their way to be revoked. The
 * chart decides when something happens to them, and receives facts.
 */
export class TokenOwner implements SessionPort {
  readonly vault: Vault
  readonly #kernel: Kernel
  readonly #sharing: Sharing
  readonly #revocation: Revocation
  readonly #refresh: Refresh
  readonly #signIn: SignIn
  /** The last tokens of the app, on their way to the store. */
  #persisted: Promise<unknown> | undefined
  /** How often the app has ended a session. */
  #ends = 0

  constructor(kernel: Kernel, vault: Vault, sharing: Sharing) {
    this.vault = vault
    this.#kernel = kernel
    this.#sharing = sharing
    this.#revocation = new Revocation(kernel, vault, sharing)
    this.#refresh = new Refresh(kernel, vault, sharing, this.#revocation)
    this.#signIn = new SignIn(kernel, vault, sharing, this.#revocation)
  }

  /** The error underneath the last failed refresh. */
  get lastCause(): Error | undefined {
    return this.#refresh.lastCause
  }

  /** Begins to share the session. Returns functions that stop it. */
  start(): readonly (() => void)[] {
    return this.#sharing.start()
  }

  /** Starts a session with the tokens that the app has when it starts. */
  begin(response: TokenResponse): TokenFacts {
    this.#begin(response)
    return this.vault.publish()
  }

  /** Stores the session that the app started with. */
  persist(): void {
    void this.#sharing.persist(false, false)
  }

  /** Replaces the session with tokens of the app. Resolves when they are persisted. */
  async setTokens(response: TokenResponse): Promise<Session> {
    const loading = this.#loadKey()
    if (loading) await loading
    const session = this.#begin(response)
    const { vault } = this
    // What is announced must be true for the next page.
    this.#persisted = this.#sharing.persist()
    if (this.#persisted) await this.#persisted
    if (!vault.tokens || vault.epoch !== session.epoch) return session
    const facts = vault.publish()
    const published = vault.session as Session
    this.#kernel.mailbox.send({ type: 'tokens.received', facts, refreshed: false })
    return published
  }

  /** The tokens may be bound to a key that the app has made since. */
  #loadKey(): Promise<void> | undefined {
    const ends = this.#ends
    return this.#kernel.proofKey?.load().then(() => {
      if (ends !== this.#ends) throw new SignedOutError({ reason: 'superseded' })
    })
  }

  /** Makes a sign-in the pending one. */
  beginSignIn(credentials: unknown): Promise<Session> {
    return this.#signIn.begin(credentials)
  }

  /** Ends the session that there is now, and the pending sign-in. Returns what the chart was sent. */
  signOut(): SignOutEvent {
    this.#ends++
    if (!this.vault.tokens) this.#sharing.abandon()
    this.#signIn.cancel(new SignedOutError({ reason: 'signed_out' }))
    const event: SignOutEvent = { type: 'session.signOut', epoch: this.vault.epoch }
    this.#kernel.mailbox.send(event)
    return event
  }

  /** Whether the session is still there that the user signed out of. */
  holds({ epoch }: SignOutEvent): boolean {
    return this.vault.tokens !== undefined && this.vault.epoch === epoch
  }

  /** The chart has left `authenticating`. */
  completeSignIn(): void {
    this.#signIn.complete()
  }

  restore(signal: InvokeSignal): Promise<TokenFacts | undefined> {
    // Later, so that the caller of `createAuth` can add a listener before a store fails.
    const merged = Promise.resolve().then(() => this.#sharing.reload())
    const restored = merged.then(async (found) => {
      // The app may have given tokens meanwhile: they are announced first, unless what was found is newer.
      if (this.#persisted && found?.facts.epoch !== this.vault.epoch) await this.#persisted
      return found?.facts
    })
    return this.#deliver(signal, restored)
  }

  authenticate(signal: InvokeSignal): Promise<TokenFacts> {
    return this.#deliver(signal, this.#signIn.run(signal))
  }

  refresh(attempt: number, signal: InvokeSignal): Promise<TokenFacts> {
    return this.#deliver(signal, this.#refresh.run(attempt))
  }

  async revoke(): Promise<void> {
    const cleared = this.#sharing.idle()
    if (this.#revocation.isEmpty) {
      // The user signed out before the session was restored: only the store knows the tokens, or they are in a cookie.
      await cleared
      const { isInCookie, isCookieTaken } = this.vault
      const mayBeInCookie = this.#kernel.options.silentSignIn !== undefined && isInCookie && !isCookieTaken
      if (this.#revocation.isEmpty && mayBeInCookie) this.#revocation.add({})
    }
    await this.#revocation.revokeAdded()
    await cleared
  }

  expire(
    { epoch, reason }: Pick<ChartContext, 'epoch' | 'reason'>,
    { type }: { readonly type: string },
  ): void {
    // A listener may have started another session, which the chart has not received yet.
    if (epoch !== this.vault.epoch) return
    const ended = this.vault.expire()
    if (!ended) return
    if (type === 'session.expiredElsewhere') {
      this.#sharing.endedElsewhere()
      return
    }
    // The server has not ended this session: anyone who finds the tokens could go on with them.
    if (reason === 'idle' || reason === 'lifetime') this.#revocation.revokeNow(ended)
    this.#sharing.expired(ended, reason)
  }

  end({ type, epoch }: { readonly type: string; readonly epoch?: number }): void {
    const { lineage, epoch: current } = this.vault
    // A listener may have started another session since, which the chart has not received yet.
    if (epoch !== undefined && epoch !== current) return
    const ended = this.vault.end()
    const elsewhere = type === 'session.endedElsewhere'
    if (elsewhere || epoch === undefined) this.#signIn.cancel(new SignedOutError({ reason: 'signed_out' }))
    this.#kernel.proofKey?.forget(ended, elsewhere)
    if (elsewhere) this.#sharing.endedElsewhere()
    else {
      if (ended) this.#revocation.add(ended)
      this.#sharing.signedOut(lineage, ended ? undefined : this.#revocation)
    }
  }

  reload(): void {
    this.#sharing.checkStore()
  }

  dispose(error: unknown): void {
    this.#ends++
    this.#sharing.dispose(error, this.#refresh.sent)
    this.#signIn.cancel(error)
  }

  #begin(response: TokenResponse): Session {
    return this.vault.begin(parseTokenResponse(response, this.#kernel, false))
  }

  /** A result is in the vault even if the chart has stopped waiting for it: then the chart is notified. */
  async #deliver<T extends TokenFacts | undefined>(signal: InvokeSignal, result: Promise<T>): Promise<T> {
    const facts = await result
    if (!facts) return facts
    const notify = () => {
      const { vault } = this
      const isCurrent = facts.epoch === vault.epoch && facts.generation === vault.generation
      if (vault.tokens && isCurrent)
        this.#kernel.mailbox.send({ type: 'tokens.received', facts, refreshed: true })
    }
    if (signal.aborted) notify()
    // The chart takes a result a few promise jobs later, and may stop waiting in between.
    else signal.addEventListener('abort', () => void Promise.resolve().then(notify))
    return facts
  }
}
