import { endsSession, type Lineage } from '../../../machines/policies.ts'
import type { AuthEvent, Reason } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import { subscription } from '../platform/subscription.ts'
import type { Coordinator, CoordinatorMessage, SessionRecord } from '../ports.ts'
import { readPeerMessage } from './peer-message.ts'
import type { StoreQueue } from './store-queue.ts'
import type { Vault } from './vault.ts'

/** The messages that tabs and processes exchange about a session. */
export class Peers {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #coordinator: Coordinator | undefined
  readonly #store: Pick<StoreQueue, 'forget' | 'isPersistent' | 'replaces'>
  /** The last expiry that another tab announced. */
  #expiry: CoordinatorMessage | undefined
  /** The session that the user signed out of last, here or in another tab. */
  #signedOut: string | undefined
  /** The session that was held here when another tab signed out of that one: they may have had the same store. */
  #heldThen: string | undefined
  /** Whether a record of the session that the user signed out of was replaced. */
  #hasReplaced = false
  /** The last sign-in that another tab announced, if a cookie may hold its session. */
  #signIn: SessionRecord | undefined

  constructor(kernel: Kernel, vault: Vault, store: Pick<StoreQueue, 'forget' | 'isPersistent' | 'replaces'>) {
    this.#kernel = kernel
    this.#vault = vault
    this.#coordinator = kernel.options.coordinator
    this.#store = store
  }

  /** The session has new tokens. */
  announceChange(isSignIn: boolean): void {
    const { tokens } = this.#vault
    this.#announce(
      'changed',
      isSignIn && tokens && { reason: 'signed_in', session: tokens.id, startedAt: tokens.startedAt },
    )
  }

  /**
   * The session has ended.
   *
   * @param reason why it expired, or `'signed_out'`
   */
  announceEnd(reason: Reason, ended: Lineage | undefined): void {
    // Without a store, each tab has its own id for the session.
    const named = this.#store.isPersistent
      ? ended && { session: ended.id, rotation: ended.rotation, startedAt: ended.startedAt }
      : reason !== 'signed_out' && { startedAt: this.#kernel.clock.now() + 1 }
    this.#announce('ended', { reason, ...named })
  }

  /**
   * The user signed out of that session.
   *
   * @param held the session here, if it is another one
   */
  signedOut(ended: Pick<Lineage, 'id'> | undefined, held?: Lineage): void {
    this.#signedOut = ended?.id
    this.#heldThen = held?.id
    this.#hasReplaced = false
  }

  /** Whether the user has signed out of that session. A tab that was refreshing it may store it afterwards. */
  isSignedOut(id: string): boolean {
    return id === this.#signedOut
  }

  /** Whether that session has replaced the one that is held here, if its record is found in the same store. */
  isReplaced(held: Lineage | undefined): boolean {
    return held !== undefined && held.id === this.#heldThen
  }

  /** Whether its record is to be replaced: once, because two tabs must not replace each other's record without end. */
  takeReplacement(): boolean {
    const isFirst = !this.#hasReplaced
    this.#hasReplaced = true
    return isFirst
  }

  /**
   * Cookie mode: the sign-in that another tab announced last, as a record. It has no token, so it begins with a refresh. It
   * is returned once.
   */
  takeSignIn(): SessionRecord | undefined {
    const signIn = this.#signIn
    this.#signIn = undefined
    return signIn
  }

  /**
   * What the end of a session means whose record is missing: an expiry if another tab has announced one. The message may
   * have come before this tab read the record.
   */
  endOf(held: Lineage): AuthEvent {
    const expiry = this.#expiry
    return this.#ended(expiry && endsSession(lineageOf(expiry), held, false) && expiry.reason)
  }

  start(): () => void {
    return subscription(
      () => this.#coordinator?.subscribe((message) => this.#receive(message)),
      this.#kernel.report,
    )
  }

  #announce(
    type: CoordinatorMessage['type'],
    details: Partial<CoordinatorMessage> | false | undefined,
  ): void {
    const { epoch, generation } = this.#vault
    const announce = async () => this.#coordinator?.announce({ type, epoch, generation, ...details })
    announce().catch(this.#kernel.report)
  }

  #receive(data: unknown): void {
    const message = readPeerMessage(data)
    if (!message) return
    const { mailbox } = this.#kernel
    const { reason = 'signed_out' } = message
    const isSignOut = reason === 'signed_out'
    const { tokens: held, lineage } = this.#vault
    // Two sessions of an origin may share a coordinator, but no store: the store shows whether the other one has replaced this one.
    const mayBeOfAnotherStore =
      held &&
      message.session &&
      message.session !== held.id &&
      this.#store.isPersistent &&
      !this.#store.replaces
    if (message.type === 'ended' && !isSignOut) this.#expiry = message
    if (message.type === 'changed') this.#rememberSignIn(message)
    // A tab without tokens has expired already, or reads the store right now, which shows the same end.
    else if (!isSignOut && !held) return
    // The record of older tokens was removed when they expired: it does not mean a sign-out.
    else if (!this.#isOurs(message, isSignOut)) {
      if (!isSignOut) this.#store.forget()
    } else {
      const ended = message.session === undefined ? lineage : { id: message.session }
      if (isSignOut) this.signedOut(ended, mayBeOfAnotherStore ? held : undefined)
      if (!mayBeOfAnotherStore) {
        if (message.spares) this.#vault.spare()
        this.#vault.bumpRevision()
        mailbox.send(this.#ended(!isSignOut && reason))
        return
      }
    }
    // A message about another session, or about older tokens, is late: the store shows what happened to this one.
    mailbox.send({ type: 'store.changed' })
  }

  /** @param expiry why the session expired; anything else for a sign-out */
  #ended(expiry: Reason | false | undefined): AuthEvent {
    return expiry
      ? { type: 'session.expiredElsewhere', reason: expiry }
      : { type: 'session.endedElsewhere', epoch: this.#vault.epoch }
  }

  #isOurs(message: CoordinatorMessage, isSignOut: boolean): boolean {
    const held = this.#vault.lineage
    if (!held || (message.session === undefined && message.startedAt === undefined)) return true
    return endsSession(lineageOf(message), held, isSignOut)
  }

  #rememberSignIn({ reason, session, startedAt }: CoordinatorMessage): void {
    if (reason !== 'signed_in' || session === undefined || startedAt === undefined) return
    const { clock, options } = this.#kernel
    if (!options.silentSignIn || !this.#vault.isInCookie || !this.#vault.isNews(startedAt)) return
    this.#signIn = {
      version: 1,
      id: session,
      rotation: 0,
      startedAt,
      receivedAt: clock.now(),
      accessToken: null,
    }
  }
}

/** What a message says about the session that ended. Tabs with 0.1 say only which one. */
const lineageOf = ({ session = '', rotation, startedAt = 0 }: CoordinatorMessage): Lineage => ({
  id: session,
  rotation: rotation ?? Number.POSITIVE_INFINITY,
  startedAt,
})
