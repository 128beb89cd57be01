import type { Kernel } from '../kernel.ts'
import type { SessionRecord } from '../ports.ts'
import type { Limits } from './limits.ts'
import { Peers } from './peers.ts'
import { type Merged, mergeRecord, tokensReceived } from './record.ts'
import { LocalTurns, RefreshLock } from './refresh-lock.ts'
import type { RevocationList } from './revocable.ts'
import type { Sharing } from './sharing.ts'
import { StoreQueue } from './store-queue.ts'
import type { HeldTokens, Mark, Vault } from './vault.ts'

/** A session that is stored, refreshed under a lock, and announced to other tabs. */
export class SharedSession implements Sharing {
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #limits: Limits
  readonly #store: StoreQueue
  readonly #lock: RefreshLock
  readonly #peers: Peers

  constructor(kernel: Kernel, vault: Vault, limits: Limits) {
    const { coordinator, storage } = kernel.options
    this.#kernel = kernel
    this.#vault = vault
    this.#limits = limits
    this.#store = new StoreQueue(kernel, storage)
    this.#lock = new RefreshLock(kernel, coordinator ?? (vault.isInCookie ? new LocalTurns() : undefined))
    this.#peers = new Peers(kernel, vault, coordinator)
  }

  get restores(): boolean {
    return this.#store.isPersistent
  }

  async reload(): Promise<Merged | undefined> {
    const mark = this.#vault.mark()
    const record = await this.#store.read((late) => this.#adoptLate(late, mark))
    if (record === 'gone' && this.#store.isReliable) this.#endElsewhere(mark)
    return typeof record === 'object' ? this.#merge(record, mark) : undefined
  }

  async persist(refreshed = false): Promise<void> {
    const mark = this.#vault.mark()
    const overtaken = await this.#store.persist(this.#vault, mark, refreshed)
    if (overtaken === 'gone') this.#endElsewhere(mark)
    else if (overtaken === 'newer') this.#kernel.mailbox.send({ type: 'store.changed' })
    else this.#peers.announce('changed')
  }

  withLock<T>(task: () => Promise<T>): Promise<T> {
    return this.#lock.run(task, this.#kernel.settings.timeouts.lock)
  }

  takeTurn<T>(task: (timeLeft: number) => Promise<T>, time: number): Promise<T> {
    if (!this.#vault.isInCookie) return task(time)
    const { clock, settings } = this.#kernel
    const began = clock.now()
    const timeLeft = () => Math.min(time, Math.max(time / 2, time - (clock.now() - began)))
    return this.#lock.run(() => task(timeLeft()), Math.min(time / 2, settings.timeouts.lock))
  }

  checkStore(): void {
    void this.#checkStore()
  }

  expired(ended: HeldTokens): void {
    this.#store.clear(ended)
    this.#announceEnd(ended)
  }

  signedOut(ended: HeldTokens | undefined, revocation: RevocationList): void {
    if (ended) {
      this.#store.clear()
      this.#announceEnd(ended)
      return
    }
    // The session was not restored yet, or began in another tab: only the store knows it, and other tabs find it gone.
    const cleared = this.#store.clear(undefined, revocation)
    void Promise.resolve(cleared).then(() => this.#peers.announce('changed'))
  }

  signedOutElsewhere(): void {
    this.#store.forget()
  }

  idle(): Promise<void> {
    return this.#store.idle()
  }

  start(): readonly (() => void)[] {
    return [this.#store.start(), this.#peers.start()]
  }

  dispose(reason: unknown): void {
    this.#lock.dispose(reason)
    this.#store.dispose()
  }

  async #checkStore(): Promise<void> {
    const vault = this.#vault
    const mark = vault.mark()
    const record = await this.#store.read((late) => this.#adoptLate(late, mark))
    // The session expired while the store was read: read again. After a sign-out there is nothing to read.
    if (!vault.tokens && !vault.isCurrent(mark) && mark.epoch === vault.epoch) return this.#checkStore()
    if (record === 'gone') {
      if (vault.tokens && vault.isCurrent(mark)) this.#kernel.mailbox.send({ type: 'session.endedElsewhere' })
    } else if (typeof record === 'object') await this.#adopt(record, mark)
  }

  /** IndexedDB may open after `timeouts.storage`. A sign-in that was begun meanwhile replaces the session. */
  #adoptLate(record: SessionRecord, mark: Mark): void {
    if (!this.#vault.isSigningIn) void this.#adopt(record, mark)
  }

  /** Goes on with a record that the chart did not wait for. */
  async #adopt(record: SessionRecord, mark: Mark): Promise<void> {
    const merged = await this.#merge(record, mark)
    if (merged) this.#kernel.mailbox.send(tokensReceived(merged, this.#kernel.clock.now()))
  }

  async #merge(record: SessionRecord, mark: Mark): Promise<Merged | undefined> {
    const vault = this.#vault
    const lastUse = record.id === vault.tokens?.id ? undefined : await this.#limits.lastUseOf(record)
    // A user who signed out while the store was read must stay signed out.
    if (!vault.tokens && !vault.isCurrent(mark)) return undefined
    const merged = mergeRecord(vault, record, lastUse)
    // A visit with another `persist` left more in the store than is allowed now.
    const leavesOut = this.#kernel.settings.persist !== 'all'
    if (merged && leavesOut && (record.accessToken ?? record.idToken ?? null) !== null)
      void this.persist(true)
    return merged
  }

  /** Another tab ended the session: everything in progress for it has ended, too. */
  #endElsewhere(mark: Mark): void {
    if (!this.#vault.tokens || !this.#vault.isCurrent(mark)) return
    this.#vault.bumpRevision()
    this.#kernel.mailbox.send({ type: 'session.endedElsewhere' })
  }

  #announceEnd({ id }: HeldTokens): void {
    // Without a store, tabs have no common name for the session.
    this.#peers.announce('ended', this.#store.isPersistent ? id : undefined)
  }
}
