import type { AuthEmitted } from '../../machines/emitted.ts'
import { topState } from '../../machines/state-path.ts'
import type { AccessTokenOptions, Auth, AuthEventMap, AuthState } from './auth.ts'
import { ID_TOKEN, REQUEST_GATE, WRAP_OPTIONS } from './auth.ts'
import type { AuthActor } from './auth-actor.ts'
import { DisposedError, isAuthError, SessionExpiredError, SignedOutError } from './errors.ts'
import { History } from './features/history.ts'
import type { Kernel } from './kernel.ts'
import { messageOf } from './messages.ts'
import type { AuthOptions } from './options.ts'
import { disposeKey } from './platform/disposal.ts'
import { explainEvent, explainListener } from './platform/hints.ts'
import { StateWaiters } from './platform/wait-for-state.ts'
import type { Session, TokenResponse } from './ports.ts'
import { accessToken } from './requests/access-token.ts'
import type { Gate } from './requests/gate.ts'
import type { Limits } from './session/limits.ts'
import type { SignOutEvent, TokenOwner } from './session/session.ts'

/**
 * What an app holds. It passes the app's calls to the chart and the session, and waits for the state that a call leads to.
 * Its methods are bound, because apps pass them on as callbacks.
 */
export class AuthFacade implements Auth {
  readonly actor: AuthActor
  readonly [REQUEST_GATE]: Gate
  declare readonly [Symbol.dispose]: () => void
  readonly #kernel: Kernel
  readonly #session: TokenOwner
  readonly #limits: Limits
  readonly #history: History
  readonly #waiters: StateWaiters
  #stops: readonly (() => void)[] = []
  #isDisposed = false
  /** The sign-out that the chart may not have handled yet. */
  #signingOut: SignOutEvent | undefined
  /** Sessions that are being revoked although the chart did not know them. */
  #revocations = 0

  constructor(kernel: Kernel, session: TokenOwner, gate: Gate, limits: Limits, actor: AuthActor) {
    this.actor = actor
    this[REQUEST_GATE] = gate
    Object.defineProperty(this, disposeKey(), { value: this.dispose })
    this.#kernel = kernel
    this.#session = session
    this.#limits = limits
    this.#history = new History(kernel.settings.historyLimit)
    this.#waiters = new StateWaiters(kernel.clock)
    actor.on('*', (event) => {
      explainEvent(this, event)
      this.#history.add(event)
    })
    actor.subscribe(() => this.#followChart())
  }

  /** Vue puts untagged objects behind a proxy, through which private fields cannot be read. */
  get [Symbol.toStringTag](): string {
    return 'Auth'
  }

  get state(): AuthState {
    return topState(this.actor.getSnapshot().value) as AuthState
  }

  get session(): Session | undefined {
    return this.#session.vault.session
  }

  get endsAt(): number | undefined {
    return this.#limits.endsAt
  }

  get history(): readonly AuthEmitted[] {
    return this.#history.events
  }

  readonly ready = (): Promise<void> => this.#waiters.reach(() => this.state !== 'restoring')

  readonly signIn = async (credentials: unknown): Promise<Session> => {
    const { options, mailbox, report } = this.#kernel
    try {
      this.#assertAlive()
      if (!options.signIn) throw new TypeError(messageOf('no_sign_in'))
      const signedIn = this.#session.beginSignIn(credentials)
      mailbox.send({ type: 'session.signIn' })
      return await signedIn
    } catch (error) {
      // The answer of a sign-in was used before, for example by this page before a reload: its session goes on.
      if (isAuthError(error) && error.reason === 'already_used') {
        await this.ready()
        if (this.session) return this.session
      }
      try {
        options.signInFailed?.(credentials)
      } catch (failure) {
        report(failure)
      }
      throw error
    }
  }

  readonly signOut = async (): Promise<void> => {
    if (this.#isDisposed) return
    const signOut = this.#session.signOut()
    this.#signingOut = signOut
    // Called from a listener, the chart handles the event only after its current step.
    await Promise.resolve()
    this.#signingOut = undefined
    if (this.#session.holds(signOut)) this.#signOutAgain(signOut)
    // If the auth is disposed meanwhile, the session has ended either way.
    await this.#waiters.reach(() => this.#revocations === 0 && this.state !== 'signingOut').catch(() => {})
  }

  readonly setTokens = async (response: TokenResponse): Promise<Session> => {
    this.#assertAlive()
    return this.#session.setTokens(response)
  }

  readonly refresh = async (): Promise<Session> => {
    this.#assertAlive()
    await this.ready()
    const { vault } = this.#session
    const { generation } = vault
    await this.#waiters.reach(() => this.state !== 'authenticating')
    // After a suspension the session may have reached a limit, and the timer is late.
    this.#limits.check()
    // A sign-in that was in progress has brought new tokens, or changed nothing.
    if (vault.session && vault.generation !== generation) return vault.session
    if (this.state === 'expired')
      throw new SessionExpiredError({ reason: this.actor.getSnapshot().context.reason })
    if (!vault.tokens) throw new SignedOutError()
    const refreshed = this[REQUEST_GATE].refresh({})
    // After a suspension the token may have expired, too.
    this.#kernel.mailbox.send({ type: 'clock.check' })
    await refreshed
    if (!vault.session) throw new SignedOutError()
    return vault.session
  }

  readonly getAccessToken = ((options: AccessTokenOptions = {}) =>
    accessToken(
      this[REQUEST_GATE],
      this.#session.vault,
      this.#kernel.clock,
      options,
    )) as Auth['getAccessToken']

  readonly on = <T extends keyof AuthEventMap>(
    type: T,
    listener: (event: AuthEventMap[T]) => void,
  ): (() => void) => {
    explainListener(this, type)
    const subscription = this.actor.on(type as never, listener as never)
    return () => subscription.unsubscribe()
  }

  readonly dispose = (): void => {
    if (this.#isDisposed) return
    this.#isDisposed = true
    const error = new DisposedError()
    const { mailbox, work, report } = this.#kernel
    // A stopped chart does not handle what a listener has asked of it within its current step.
    const signOut = this.#signingOut
    if (signOut && this.#handles(signOut)) this.#session.end(signOut)
    this.actor.stop()
    mailbox.close()
    for (const stop of this.#stops) {
      try {
        stop()
      } catch (thrown) {
        report(thrown)
      }
    }
    work.abortAll(error)
    this.#limits.dispose()
    this.#session.dispose(error)
    this[REQUEST_GATE].dispose()
    this.#waiters.dispose(error)
  };

  [ID_TOKEN](): string | undefined {
    return this.#session.vault.tokens?.idToken
  }

  /** Replaces the functions that are called from now on. */
  [WRAP_OPTIONS](wrap: (options: AuthOptions<never>) => AuthOptions<never>): void {
    this.#kernel.options = wrap(this.#kernel.options)
  }

  /** Adds functions that `dispose` calls. */
  stopWith(stops: readonly (() => void)[]): void {
    // No larger than needed: a server has thousands of sessions.
    this.#stops = this.#stops.concat(stops)
  }

  /** After each step: the limits first, because they may hold back what the gate would release. */
  #followChart(): void {
    // A listener may dispose within a step, whose end still comes.
    if (this.#isDisposed) return
    this.#limits.followSession(this.actor.getSnapshot().hasTag('session'))
    this[REQUEST_GATE].flush()
    if (this.state !== 'authenticating') this.#session.completeSignIn()
    this.#waiters.check()
  }

  /** The chart knows tokens of the app only once they are stored, so it may have ignored that the user signed out of them. */
  #signOutAgain(signOut: SignOutEvent): void {
    if (this.#handles(signOut)) {
      this.#kernel.mailbox.send(signOut)
      return
    }
    this.#session.end(signOut)
    this.#revocations++
    void this.#session.revoke().then(() => {
      this.#revocations--
      this.#waiters.check()
    })
  }

  #handles(signOut: SignOutEvent): boolean {
    return this.actor.getSnapshot().can(signOut)
  }

  #assertAlive(): void {
    if (this.#isDisposed) throw new DisposedError()
  }
}
