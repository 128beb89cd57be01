import { compareSessions, type Lineage } from '../../../machines/policies.ts'
import type { Reason } from '../../../machines/vocabulary.ts'
import type { Kernel } from '../kernel.ts'
import { isPromiseLike } from '../platform/promise-like.ts'
import type { SessionRecord } from '../ports.ts'
import type { Limits } from './limits.ts'
import { Peers } from './peers.ts'
import { type Merged, mergeRecord } from './record.ts'
import { localTurns, RefreshLock } from './refresh-lock.ts'
import type { RevocationList } from './revocable.ts'
import { type Placed, sameStoreTurns, WAIT } from './same-store.ts'
import type { LockedAttempt, Overtaken, Sharing, Turns } from './sharing.ts'
import { StoreQueue } from './store-queue.ts'
import type { Mark, Vault } from './vault.ts'

/** A session that is stored, refreshed under a lock, and announced to other tabs. */
export class SharedSession implements Sharing {
  readonly turns: Turns | undefined
  readonly #kernel: Kernel
  readonly #vault: Vault
  readonly #limits: Limits
  readonly #store: StoreQueue
  readonly #lock: RefreshLock
  readonly #peers: Peers
  /** The checks of the store that run or wait: two at most. */
  #checks = 0

  constructor(kernel: Kernel, vault: Vault, limits: Limits) {
    const { coordinator, storage } = kernel.options
    this.#kernel = kernel
    this.#vault = vault
    this.#limits = limits
    this.#store = new StoreQueue(kernel, storage)
    const isStored = storage !== undefined && this.#store.isPersistent
    const turns = isStored ? sameStoreTurns(storage) : vault.isInCookie ? localTurns() : undefined
    this.turns = coordinator ?? turns
    this.#lock = new RefreshLock(kernel, this.turns)
    this.#peers = new Peers(kernel, vault, this.#store)
  }

  get restores(): boolean {
    return this.#store.isPersistent
  }

  async reload(): Promise<Merged | undefined> {
    const waiting = (this.#kernel.options.storage as Placed | undefined)?.[WAIT]?.()
    if (waiting) await waiting
    const mark = this.#vault.mark()
    const record = await this.#store.read((late) => this.#adoptLate(late, mark))
    if (record === 'gone' && this.#store.isReliable) await this.#missing(mark)
    return typeof record === 'object' ? this.#merge(record, mark) : undefined
  }

  persist(refreshed = false, isSignIn = !refreshed): Promise<Overtaken | undefined> | undefined {
    const mark = this.#vault.mark()
    const persist = () => this.#store.persist(this.#vault, mark, refreshed)
    const overtaken = persist()
    if (overtaken !== 'gone' && !isPromiseLike(overtaken)) {
      this.#persisted(overtaken, mark, isSignIn)
      return undefined
    }
    const persistAgain = async () => {
      let result = await overtaken
      if (result === 'gone') {
        await this.#store.pause()
        // Meanwhile another tab may have written the record again, or announced why it is gone.
        if (!this.#vault.isCurrent(mark)) return undefined
        result = await persist()
      }
      this.#persisted(result, mark, isSignIn)
      return result
    }
    const persisted = persistAgain()
    const { work, settings } = this.#kernel
    return work.run(() => persisted, settings.timeouts.storage).catch(() => undefined)
  }

  #persisted(overtaken: Overtaken | undefined, mark: Mark, isSignIn: boolean): void {
    if (overtaken === 'gone') this.#endElsewhere(mark)
    else if (overtaken === 'newer') this.#kernel.mailbox.send({ type: 'store.changed' })
    else {
      if (this.#vault.isCurrent(mark)) this.#vault.publish()
      this.#peers.announceChange(isSignIn)
    }
  }

  withLock<T>(attempt: LockedAttempt<T>): Promise<T> {
    return this.#lock.refresh(attempt)
  }

  takeTurn<T>(task: (timeLeft: number) => Promise<T>, time: number): Promise<T> {
    if (!this.#vault.isInCookie) return task(time)
    const { clock, settings } = this.#kernel
    const began = clock.now()
    const timeLeft = () => Math.min(time, Math.max(time / 2, time - (clock.now() - began)))
    const attempt = { run: () => task(timeLeft()) }
    return this.#lock.run(attempt, Math.min(time / 2, settings.timeouts.lock))
  }

  checkStore(): void {
    // One check that runs sees what was stored before it, and one that waits sees the rest, however many messages come.
    this.#checks = Math.min(this.#checks + 1, 2)
    if (this.#checks === 1) void this.#runChecks()
  }

  retry(): void {
    this.#store.retry()
  }

  expired(ended: Lineage, reason: Reason = 'token_expired'): void {
    this.#store.clear(ended)
    this.#peers.announceEnd(reason, ended)
  }

  signedOut(ended: Lineage | undefined, revocation?: RevocationList): void {
    this.#peers.signedOut(ended)
    const cleared = this.#store.clear(ended, true, revocation)
    if (ended || !this.#store.isPersistent) this.#peers.announceEnd('signed_out', ended)
    // The session was not restored yet: only the store knows it, and other tabs find it gone.
    else void Promise.resolve(cleared).then(() => this.#peers.announceChange(false))
  }

  abandon(): void {
    this.#store.abandon()
  }

  endedElsewhere(): void {
    this.#store.forget()
  }

  get late(): Promise<unknown> | undefined {
    return this.#store.late
  }

  idle(): Promise<void> {
    return this.#store.idle()
  }

  start(): readonly (() => void)[] {
    return [...this.#store.start(), this.#peers.start()]
  }

  dispose(reason: unknown, refreshed: Promise<unknown> | undefined): void {
    this.#checks = 0
    const stop = () => this.#store.dispose()
    this.#lock.dispose(reason)
    this.#store.hurry()
    if (refreshed) void refreshed.then(stop, stop)
    else stop()
  }

  async #runChecks(): Promise<void> {
    do await this.#checkStore()
    while (--this.#checks > 0)
  }

  async #checkStore(signIn = this.#peers.takeSignIn()): Promise<void> {
    const vault = this.#vault
    const mark = vault.mark()
    const record = await this.#store.read((late) => this.#adoptLate(late, mark))
    // The session expired while the store was read, or it was restored from a record that is missing now: read again. After a
    // sign-out there is nothing to read.
    const isInDoubt = vault.tokens ? record === 'gone' : mark.epoch === vault.epoch
    if (isInDoubt && !vault.isCurrent(mark)) return this.#checkStore(signIn)
    if (typeof record === 'object' && (await this.#adopt(record, mark))) return
    if (signIn && (await this.#adopt(signIn, mark))) return
    if (record === 'gone') await this.#missing(mark)
  }

  /** The record of a session that is held here is missing. Some stores know whether it was lost or ended. */
  async #missing(mark: Mark): Promise<void> {
    if (!this.#store.replaces) this.#endElsewhere(mark)
    else if (this.#vault.tokens && this.#vault.isCurrent(mark)) await this.persist(true)
  }

  /** IndexedDB may open after `timeouts.storage`. A sign-in that was begun meanwhile replaces the session. */
  #adoptLate(record: SessionRecord, mark: Mark): void {
    if (!this.#vault.isSigningIn) void this.#adopt(record, mark)
  }

  /** Goes on with a record that the chart did not wait for, if it is newer. Returns whether it is. */
  async #adopt(record: SessionRecord, mark: Mark): Promise<boolean> {
    const merged = await this.#merge(record, mark)
    if (merged) this.#kernel.mailbox.send({ type: 'tokens.received', ...merged })
    return merged !== undefined
  }

  async #merge(record: SessionRecord, mark: Mark): Promise<Merged | undefined> {
    const vault = this.#vault
    const lastUse = record.id === vault.tokens?.id ? undefined : await this.#limits.lastUseOf(record)
    // A user who signed out while the store was read must stay signed out.
    if (!vault.tokens && !vault.isCurrent(mark)) return undefined
    // A sign-in from the future was stored when the clock was ahead. The one that was made during the read is newer.
    if (vault.epoch !== mark.epoch && record.startedAt > this.#kernel.clock.now()) return undefined
    if (this.#peers.isSignedOut(record.id)) {
      if (this.#peers.isReplaced(vault.tokens)) this.#endElsewhere(mark)
      this.#remove(record)
      return undefined
    }
    const merged = mergeRecord(vault, record, lastUse)
    // The store fell back to an earlier state, or could not be written: a process that presents its token would end the session.
    if (this.#store.replaces && compareSessions(record, vault.tokens) === 'older') await this.persist(true)
    // A visit with another `persist` left more in the store than is allowed now.
    const leavesOut = this.#kernel.settings.persist !== 'all'
    if (merged && leavesOut && (record.accessToken ?? record.idToken ?? null) !== null)
      void this.persist(true)
    return merged
  }

  /** Removes the record of a session that the user signed out of, and stores what it has replaced. */
  #remove(record: SessionRecord): void {
    this.#store.clear(record)
    if (this.#peers.takeReplacement() && this.#vault.tokens)
      void this.#store.persist(this.#vault, this.#vault.mark(), true)
  }

  /** Another tab ended the session: everything in progress for it has ended, too. */
  #endElsewhere(mark: Mark): void {
    const { tokens } = this.#vault
    if (!tokens || !this.#vault.isCurrent(mark)) return
    this.#vault.bumpRevision()
    this.#kernel.mailbox.send(this.#peers.endOf(tokens))
  }
}
