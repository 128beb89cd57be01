import { UNOWNED } from '../../../machines/policies.ts'
import type { RequestsPort } from '../../../machines/ports.ts'
import type { ChartContext } from '../../../machines/vocabulary.ts'
import { type AuthError, DisposedError, SessionExpiredError, SignedOutError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import type { Limits } from '../session/limits.ts'
import type { TokenOwner } from '../session/session.ts'
import type { Credential, Vault } from '../session/vault.ts'
import { AbortableRequests } from './abortable-requests.ts'
import type { StepUp } from './challenge.ts'
import { HoldQueue } from './hold-queue.ts'
import { anotherSession, refreshUnavailable, sessionEnded } from './refusal.ts'
import { RefusingEndpoints } from './refusing-endpoints.ts'
import { RequestCounts } from './request-counts.ts'
import { type Chart, type ChartView, NO_CHART, type RequestMode, requestMode } from './request-mode.ts'
import { TokenUse } from './token-use.ts'
import type { HoldOptions, Place, Prove, RequestWatch, StepUpAnswers } from './transport-request.ts'

/** The permission to send one request. `release` must follow the answer of a request that was held. */
export interface Slot extends Place {
  readonly gate: Gate
  readonly credential: Credential
  /** Whether the request waited for this credential. */
  readonly wasHeld: boolean
}

/**
 * The place where requests meet the session. What happens to a request is the chart's tag; the token is the vault's. The
 * gate owns only the requests that wait.
 */
export class Gate implements RequestsPort {
  /** Observes all requests; set by a tool during development. */
  watch: RequestWatch | undefined
  prove: Prove | undefined
  stepUp: StepUpAnswers | undefined
  /** Endpoints whose 401 causes no refresh. */
  readonly refusing: RefusingEndpoints
  /** The calls of the app's functions. A request that one of them makes would wait for its own end. */
  readonly calls: Kernel['work']
  readonly abortable = new AbortableRequests()
  readonly #kernel: Kernel
  readonly #session: TokenOwner
  readonly #vault: Vault
  readonly #limits: Limits
  readonly #counts: RequestCounts
  readonly #queue: HoldQueue<Slot>
  /** Calls that wait for a newer token than the current one, which may still work. Made when first needed. */
  #refreshWaiters: HoldQueue<void> | undefined
  #chart: Chart = NO_CHART
  readonly #tokenUse: TokenUse
  /** How many released requests have no answer yet, if their number is limited. */
  #released = 0
  /** The chart's generation for which it was asked to look at an expired token. */
  #askedFor: number | undefined

  constructor(kernel: Kernel, session: TokenOwner, limits: Limits) {
    this.#kernel = kernel
    this.calls = kernel.work
    this.#session = session
    this.#vault = session.vault
    this.#limits = limits
    this.#tokenUse = new TokenUse(session.vault)
    this.#counts = new RequestCounts(kernel.mailbox, () => this.#queue.size)
    this.#queue = new HoldQueue(kernel, this.#counts)
    this.refusing = new RefusingEndpoints(kernel, session.vault)
  }

  /** Connects the chart, or another view of it. No request can arrive before. */
  start(chart: Chart): void {
    this.#chart = chart
  }

  /** Whether a request used the current tokens. */
  get usedSinceRefresh(): boolean {
    return this.#tokenUse.isUsed
  }

  /**
   * How a request that arrives now is sent; `undefined`: it has to wait.
   *
   * @throws AuthError if the session has ended
   */
  authorize(): Credential | undefined {
    // Nearly all requests end here.
    if (this.#view.hasTag('pass')) {
      const now = this.#kernel.clock.now()
      if (this.#tokenUse.needsCheck(now) || !this.#limits.use(now)) return this.#checkAndAuthorize(now)
      this.#tokenUse.use()
      return this.#vault.credential
    }
    const mode = this.#mode()
    if (mode === 'refuse') throw this.#refusal()
    if (mode === 'anonymous') return this.#vault.anonymousCredential
    // Waiting is a use of the session, and the session may have gone unused for too long by now.
    if (!this.#limits.use(this.#kernel.clock.now())) {
      this.#checkClock()
      if (this.#mode() !== 'hold') return this.authorize()
    }
    return undefined
  }

  /**
   * Waits until the request may be sent, or never can be.
   *
   * @param proceed what the request goes on with; by default, the promise resolves to its slot
   */
  hold<Result = Slot, Options extends HoldOptions = HoldOptions>(
    options: Options,
    proceed?: (slot: Slot, options: Options) => Result | PromiseLike<Result>,
  ): Promise<Result> {
    this.#limits.touch()
    return this.#queue.hold(this.#vault.requestOwner, options, proceed)
  }

  /**
   * Asks for a refresh, and waits for a token that is newer than the current one.
   *
   * @throws DisposedError
   */
  async refresh(options: HoldOptions): Promise<void> {
    if (this.#chart === NO_CHART) throw new DisposedError()
    this.#refreshWaiters ??= new HoldQueue(this.#kernel)
    const refreshed = this.#refreshWaiters.hold(this.#vault.generation, options)
    this.#kernel.mailbox.send({ type: 'session.refresh' })
    await refreshed
  }

  /** Whether a credential that was given out a moment ago may still be used. */
  admits(credential: Credential): boolean {
    if (credential.authorization === undefined) return true
    return credential === this.#vault.credential && this.#mode() === 'pass'
  }

  /**
   * How a request goes on that was aborted in flight, or released too late.
   *
   * @throws SignedOutError if the session belongs to another user by now
   */
  resume(before: Credential, options: HoldOptions): Slot | Promise<Slot> {
    this.assertServes(before)
    const credential = this.authorize()
    return credential ? this.#slot(credential, false) : this.hold(options)
  }

  /**
   * Checks that a request of that credential's session may be sent with the current one.
   *
   * @throws SignedOutError
   */
  assertServes({ epoch }: Pick<Credential, 'epoch'>): void {
    const mode = this.#mode()
    if (mode === 'refuse' || this.#vault.mayServe(epoch)) return
    throw anotherSession(mode)
  }

  /**
   * How to replay a request that was refused with 401: with the current token if that is newer, or else after a refresh.
   * `undefined`: not at all.
   */
  replay(refused: Credential, endpoint: string, options: HoldOptions): Slot | Promise<Slot> | undefined {
    if (!this.#vault.mayServe(refused.epoch)) return undefined
    if (!this.reportUnauthorized(refused, endpoint, true)) return undefined
    // A listener may have signed another user in within that step.
    if (this.#mode() !== 'refuse' && !this.#vault.mayServe(refused.epoch)) return undefined
    const isStillCurrent = this.#mode() === 'pass' && refused.generation === this.#vault.generation
    const current = isStillCurrent ? undefined : this.authorize()
    if (!current) return this.hold(options)
    return current.authorization === undefined ? undefined : this.#slot(current, false)
  }

  replayed(): void {
    this.#counts.add('replayed')
  }

  /**
   * A server refused a token. Of an older token this says nothing, and while the gate is closed a refresh is on its way already.
   *
   * @param isReplayed whether the request is sent again after the refresh
   * @returns false if the endpoint is in doubt, so that its refusal of the current token causes no refresh
   */
  reportUnauthorized(refused: Credential, endpoint: string, isReplayed = false): boolean {
    if (this.#mode() !== 'pass' || refused.generation !== this.#vault.generation) return true
    if (!this.refusing.mayRefresh(endpoint)) return false
    this.refusing.addRefresh(endpoint, isReplayed)
    this.#tokenUse.refuse(this.#kernel.clock.now())
    this.#kernel.mailbox.send({ type: 'request.unauthorized', generation: refused.generation })
    if (this.#mode() !== 'pass') this.abortable.abortAll()
    return true
  }

  /** A server refused a request again. If its token was issued after the first refusal, the token is not the reason. */
  reportRefusedAgain({ credential, wasHeld }: Slot, endpoint: string): void {
    if (!wasHeld || !this.#tokenUse.isFresh()) this.reportUnauthorized(credential, endpoint)
    else if (credential.generation === this.#vault.generation) this.refusing.addRefusal(endpoint)
  }

  reportStepUp(challenge: StepUp): void {
    this.#kernel.mailbox.send({ type: 'request.stepUp', ...challenge })
  }

  /** Releases or rejects the requests that wait. To be called when the chart has come to rest. */
  flush(): void {
    const mode = this.#mode()
    if (mode !== 'pass') this.#askedFor = undefined
    if (this.#queue.size + (this.#refreshWaiters?.size ?? 0) === 0) return
    if (mode === 'refuse') this.#rejectAll(() => this.#refusal())
    else if (mode === 'anonymous') {
      this.#release(mode)
      this.#refreshWaiters?.rejectAll(() => new SignedOutError())
    } else if (mode === 'hold') {
      // Requests wait for the next sign-in, but no refresh will come.
      if (this.#view.context.status === 'expired') this.#refreshWaiters?.rejectAll(() => this.#refusal())
    } else this.#flushAuthenticated()
  }

  rejectHeld(context: ChartContext): void {
    this.refusing.forgive()
    this.#rejectAll(() => refreshUnavailable(context, this.#session.lastCause))
  }

  rejectRefreshWaiters({ failure }: ChartContext): void {
    const cause = this.#session.lastCause
    // Calls that wait for a token that has arrived by now get it.
    const least = this.#vault.tokens ? this.#vault.generation : undefined
    this.#refreshWaiters?.rejectAll(() => new SessionExpiredError({ reason: failure?.reason, cause }), least)
  }

  dispose(): void {
    this.#chart = NO_CHART
    this.flush()
  }

  get #view(): ChartView {
    return this.#chart.getSnapshot()
  }

  #mode(): RequestMode {
    return requestMode(this.#view, this.#kernel.settings.whenExpired, this.#vault.tokens !== undefined)
  }

  #rejectAll(makeError: () => AuthError): void {
    this.#queue.rejectAll(makeError)
    this.#refreshWaiters?.rejectAll(makeError)
  }

  #refusal(): AuthError {
    if (this.#chart === NO_CHART) return new DisposedError()
    return sessionEnded(this.#view.context, this.#session.lastCause)
  }

  #checkAndAuthorize(now: number): Credential | undefined {
    this.#tokenUse.use()
    this.#checkClock()
    if (this.#mode() !== 'pass') return this.authorize()
    this.#tokenUse.scheduleCheck(now)
    // The store is being asked whether another tab used the session. Or this is a call from within a step of the chart, which
    // will look at the limit and the token after the step.
    if (this.#limits.isAsking || this.#limits.isReached) return undefined
    this.#limits.touch()
    return this.#tokenUse.isExpired(now) ? undefined : this.#vault.credential
  }

  /**
   * Makes the chart look at the limits and the token. A listener may sign another user in within that step: then the request
   * that waits for this check must not be sent.
   */
  #checkClock(): void {
    const epoch = this.#vault.requestOwner
    this.#limits.check()
    this.#kernel.mailbox.send({ type: 'clock.check' })
    this.assertServes({ epoch })
  }

  #flushAuthenticated(): void {
    const { generation } = this.#view.context
    if (this.#tokenUse.isExpired(this.#kernel.clock.now())) {
      // Another tab may have left an expired token in the store, or none: the chart has to refresh first.
      if (this.#askedFor === generation) return
      this.#askedFor = generation
      this.#kernel.mailbox.send({ type: 'clock.check' })
      return
    }
    this.#release('pass')
    // The session is about to expire: then the waiters are rejected.
    if (this.#limits.isReached) return
    const waiters = this.#refreshWaiters
    while (waiters && waiters.firstOwner < this.#vault.generation) waiters.shift()?.release()
  }

  #release(mode: 'pass' | 'anonymous'): void {
    const vault = this.#vault
    const credential = mode === 'pass' ? vault.credential : vault.anonymousCredential
    if (this.#queue.size === 0 || !credential) return
    const { concurrency } = this.#kernel.settings
    const isLimited = concurrency < Number.POSITIVE_INFINITY
    const shared = this.#slot(credential, true)
    while (this.#released < concurrency) {
      if (this.#limits.isAsking || this.#limits.isReached) return
      const entry = this.#queue.shift()
      if (!entry) return
      if (mode === 'pass' ? vault.mayServe(entry.owner) : entry.owner === UNOWNED) {
        this.#counts.add('released')
        entry.release(isLimited ? this.#limitedSlot(credential) : shared)
      } else {
        const error = anotherSession(mode)
        entry.reject(error)
        this.#counts.add('rejected', error)
      }
    }
  }

  #slot(credential: Credential, wasHeld: boolean, release = () => {}): Slot {
    return { gate: this, credential, wasHeld, release }
  }

  /** A slot whose release lets the next request go. */
  #limitedSlot(credential: Credential): Slot {
    this.#released++
    let isReleased = false
    return this.#slot(credential, true, () => {
      if (isReleased) return
      isReleased = true
      this.#released--
      const mode = this.#mode()
      if (mode === 'pass' || mode === 'anonymous') this.#release(mode)
    })
  }
}
