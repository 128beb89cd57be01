import type { ChartContext, Reason } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import type { Branches } from './branches.ts'
import type { GuardedTurn } from './guarded-turn.ts'
import type { Limits } from './limits.ts'
import type { Merged } from './record.ts'
import type { RefreshLock } from './refresh-lock.ts'
import type { LockedAttempt, SessionParts, Sharing } from './sharing.ts'
import type { HeldTokens, Vault } from './vault.ts'

/** What a branch sees of its session, beside its parts. */
export interface SessionView {
  ready(): Promise<void>
  readonly actor: {
    getSnapshot(): { readonly context: ChartContext; hasTag(tag: 'hold' | 'session'): boolean }
    subscribe(listener: () => void): { unsubscribe(): void }
  }
}

/** Why a branch may end although its session goes on: the user or the server does not grant what it asks for. */
const OWN_REASONS: readonly Reason[] = ['invalid_target', 'invalid_scope']

/**
 * How a branch is shared: it follows its session, and presents the refresh token of that in turns with it. What a store is to
 * another session, the session is to its branch: where it finds out who is signed in.
 */
export class BranchSharing implements Sharing {
  readonly restores = true
  readonly #session: SessionParts
  readonly #view: SessionView
  readonly #lock: RefreshLock
  readonly #kernel: Kernel
  readonly #vault: Vault
  /** The epoch of the session that this branch follows; `undefined` without a session. */
  #epoch: number | undefined
  /** Whether the session has expired, and this branch with it. */
  #isExpired = false
  #isRestored = false
  #turn: GuardedTurn | undefined

  constructor(session: SessionParts, view: SessionView, branches: Branches, kernel: Kernel, vault: Vault) {
    this.#session = session
    this.#view = view
    this.#lock = branches.createLock()
    this.#kernel = kernel
    this.#vault = vault
  }

  /** Whether the session is about to change, so that requests of the branch wait with those of the session. */
  get isPending(): boolean {
    const snapshot = this.#view.actor.getSnapshot()
    // A sign-in or a restore, but not a refresh: the branch has a token of its own.
    if (snapshot.hasTag('hold') && !snapshot.hasTag('session')) return true
    const { tokens, epoch } = this.#session.vault
    return (tokens && epoch) !== this.#epoch
  }

  /** Finds the session at the start, and the newest refresh token before a refresh. */
  async reload(): Promise<Merged | undefined> {
    if (!this.#isRestored) return this.#restore()
    const { kernel, sharing, vault } = this.#session
    const before = vault.tokens?.refreshToken
    const merged = await sharing.reload()
    if (merged) kernel.mailbox.send({ type: 'tokens.received', ...merged })
    // Then a refresh that was rejected is attempted again: another tab has presented its refresh token before.
    const { tokens } = this.#vault
    if (tokens && vault.tokens?.refreshToken !== before)
      this.#vault.amend({
        rotation: tokens.rotation + 1,
        refreshToken: undefined,
        refreshTokenExpiresAt: undefined,
      })
    return undefined
  }

  persist(): undefined {
    // What came of the refresh token is known and stored.
    this.#turn?.settle()
    return undefined
  }

  withLock<T>(attempt: LockedAttempt<T>): Promise<T> {
    const { vault } = this.#session
    const run = (turn?: GuardedTurn) => {
      this.#turn = turn
      return attempt.run(turn && { present: () => turn.present(vault), settle: () => turn.settle() })
    }
    return this.#lock.refresh({ ...attempt, run })
  }

  takeTurn<T>(task: (timeLeft: number) => Promise<T>, time: number): Promise<T> {
    return task(time)
  }

  checkStore(): void {}

  /** The refresh token may have been rejected. The session finds out by itself. */
  expired(_: unknown, reason: Reason | undefined): void {
    if (reason && !OWN_REASONS.includes(reason))
      this.#session.kernel.mailbox.send({ type: 'session.refresh' })
  }

  signedOut(): void {}

  endedElsewhere(): void {}

  abandon(): void {}

  async idle(): Promise<void> {}

  start(): readonly (() => void)[] {
    const { proofKey } = this.#kernel
    // The key belongs to the session.
    if (proofKey)
      this.#kernel.proofKey = {
        load: () => proofKey.load(),
        bind: (...given) => proofKey.bind(...given),
        forget() {},
      }
    const { unsubscribe } = this.#view.actor.subscribe(() => this.#follow())
    return [unsubscribe]
  }

  dispose(reason: unknown): void {
    this.#lock.dispose(reason)
  }

  async #restore(): Promise<Merged | undefined> {
    // It is rejected if the session is disposed: then the branch is, too.
    await this.#view.ready().catch(() => {})
    this.#isRestored = true
    const tokens = this.#active()
    return tokens && this.#begin(tokens)
  }

  /** After each step of the session. */
  #follow(): void {
    if (!this.#isRestored) return
    const { mailbox } = this.#kernel
    const { vault } = this.#session
    const tokens = this.#active()
    if (tokens) {
      if (vault.epoch !== this.#epoch) mailbox.send({ type: 'tokens.received', ...this.#begin(tokens) })
    } else if (!vault.tokens) {
      const { status, reason = 'token_expired' } = this.#view.actor.getSnapshot().context
      const isExpired = status === 'expired'
      // The user may sign out of a session that has expired.
      const hasEnded = this.#epoch !== undefined || (this.#isExpired && !isExpired)
      this.#epoch = undefined
      this.#isExpired = isExpired
      if (hasEnded)
        mailbox.send(
          isExpired ? { type: 'session.expiredElsewhere', reason } : { type: 'session.endedElsewhere' },
        )
    }
  }

  /** The tokens of the session, if its chart knows them. While they are being stored, they are not announced. */
  #active(): HeldTokens | undefined {
    const { tokens, epoch } = this.#session.vault
    const { context } = this.#view.actor.getSnapshot()
    return context.status === 'active' && context.epoch === epoch ? tokens : undefined
  }

  /** Begins a session of the same user. It has no token until a request needs one. */
  #begin({ id, startedAt, receivedAt, subject, user, claims, profile, keyId, proofKey }: HeldTokens): Merged {
    this.#epoch = this.#session.vault.epoch
    this.#isExpired = false
    const facts = this.#vault.start({
      id,
      startedAt,
      receivedAt,
      subject,
      claims,
      profile,
      keyId,
      proofKey,
      // A server may name the user differently in tokens for another API.
      user: { app: user.app ?? user.idToken ?? user.accessToken },
      // Not its first refresh, as far as hints are concerned: the refresh token is that of the session.
      rotation: 1,
      accessToken: undefined,
      refreshToken: undefined,
      idToken: undefined,
      expiresAt: undefined,
      refreshTokenExpiresAt: undefined,
      scope: undefined,
      tokenType: undefined,
    })
    return { facts, refreshed: false }
  }
}

/** The limits of a branch are those of its session: each use of the branch is a use of the session. */
export class BranchLimits implements Limits {
  readonly #limits: Limits
  readonly #kernel: Kernel
  readonly #vault: Vault

  constructor(limits: Limits, kernel: Kernel, vault: Vault) {
    this.#limits = limits
    this.#kernel = kernel
    this.#vault = vault
  }

  get endsAt(): number | undefined {
    return this.#limits.endsAt
  }

  get isAsking(): boolean {
    return this.#limits.isAsking
  }

  get isReached(): boolean {
    return this.#limits.isReached
  }

  use(now: number): boolean {
    return this.#limits.use(now) && this.#vault.credential !== undefined
  }

  touch(): void {
    this.#limits.touch()
  }

  check(): void {
    this.#limits.check()
    this.requestToken()
  }

  /** The first request of a session asks for its token. */
  requestToken(): void {
    const { tokens, generation } = this.#vault
    if (tokens && tokens.accessToken === undefined)
      this.#kernel.mailbox.send({ type: 'request.unauthorized', generation })
  }

  followSession(): void {}

  async lastUseOf(): Promise<undefined> {}

  dispose(): void {}
}
