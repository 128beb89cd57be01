import { compareSessions, endsSession, type Lineage } from '../../../machines/policies.ts'
import { StorageError } from '../errors.ts'
import type { Kernel } from '../kernel.ts'
import { isPromiseLike, whenDone } from '../platform/promise-like.ts'
import { without, withThis } from '../platform/small-set.ts'
import { subscription } from '../platform/subscription.ts'
import type { EndedSession, Replaced, SessionRecord, SessionStorage } from '../ports.ts'
import { isSessionRecord, recordOf } from './record.ts'
import type { RevocationList } from './revocable.ts'
import { REMOVE, type Removable } from './same-store.ts'
import type { Overtaken } from './sharing.ts'
import { FAILED, StoreOperations } from './store-operations.ts'
import type { Mark, Vault } from './vault.ts'

/** What a look into the store finds. `'gone'`: another tab removed the record. */
export type Found = SessionRecord | 'gone' | 'unreadable' | undefined

/**
 * How long a record must be missing, in milliseconds. Another tab that writes it again is seen to remove it first, and one
 * that ended the session announces why, but messages and changes of a store arrive in any order.
 */
const PAUSE = 250

/** The app's store, made safe: what is read, written and removed, and what that means. If it fails, the session goes on in memory. */
export class StoreQueue {
  readonly #kernel: Kernel
  readonly #operations: StoreOperations
  readonly #given: SessionStorage | undefined
  readonly #storage: SessionStorage | undefined
  /** Whether it holds this session's record, as far as is known. Only then an empty store means something. */
  #hasRecord = false
  /** Whether the store reports changes or has ever returned a record. Some stores accept everything and keep nothing. */
  #isReliable: boolean
  /** What failed, and is done when the user looks at the app: the last read, or the removal of a session at a sign-out. */
  #missed: (() => unknown) | undefined
  /** What ends the waits of `pause`. The set exists only while it contains something. */
  #pauses: Set<() => void> | undefined
  #isHurried = false

  constructor(kernel: Kernel, storage: SessionStorage | undefined) {
    this.#kernel = kernel
    this.#operations = new StoreOperations(kernel)
    this.#given = storage
    this.#storage = kernel.settings.persist === 'none' ? undefined : storage
    this.#isReliable = this.#storage?.subscribe !== undefined
  }

  /** Whether sessions are stored at all, so that a later visit or another tab can find them. */
  get isPersistent(): boolean {
    return this.#storage !== undefined
  }

  /** Whether a missing record means that another tab removed it. */
  get isReliable(): boolean {
    return this.#isReliable
  }

  /** Whether the store looks at what it replaces: then only the store knows what a missing or older record means. */
  get replaces(): boolean {
    return this.#storage?.replace !== undefined
  }

  /**
   * Listens to changes that other tabs make. With `persist: 'none'` it clears the store instead. A store that could not be read or
   * cleared is tried again when the user looks at the app: a keychain is locked while an app starts in the background.
   */
  start(): readonly (() => void)[] {
    const given = this.#given
    if (given && !this.#storage) void this.#operations.run(() => given.clear())
    const { environment, report } = this.#kernel
    const onChange = () => {
      this.#isReliable = true
      this.#check()
    }
    return [
      subscription(
        () => this.#storage?.subscribe?.(onChange),
        (error) => this.#operations.fail(error),
      ),
      subscription(() => environment.subscribe('visible', () => this.retry()), report),
    ]
  }

  /** Does what failed before. */
  retry(): void {
    this.#missed?.()
  }

  /**
   * Reads the record. A record that is missing is looked for a second time, if the store cannot say what that means.
   *
   * @param onLate receives the record if it comes after `timeouts.storage`
   */
  async read(onLate?: (record: SessionRecord) => void): Promise<Found> {
    const found = await this.#look(onLate)
    if (found !== 'gone' || this.replaces) return found
    await this.pause()
    return this.#look(onLate)
  }

  /** Waits for what other tabs may be about to write or to announce. */
  pause(): Promise<void> {
    const { clock } = this.#kernel
    return new Promise((resolve) => {
      const leave = () => {
        clock.clearTimeout(timer)
        this.#pauses = without(this.#pauses, leave)
        resolve()
      }
      const timer = clock.setTimeout(leave, PAUSE)
      if (this.#isHurried) leave()
      else this.#pauses = withThis(this.#pauses, leave)
    })
  }

  async #look(onLate?: (record: SessionRecord) => void): Promise<Found> {
    const storage = this.#storage
    if (!storage) return undefined
    let reading: PromiseLike<Found> | undefined
    const found = await this.#operations.run(() => {
      const value = storage.read()
      if (!isPromiseLike(value)) return this.#inspect(value)
      reading = Promise.resolve(value).then((late) => this.#inspect(late))
      return reading
    })
    if (found !== FAILED) {
      if (this.#missed === this.#check) this.#missed = undefined
      return found as Found
    }
    this.#missed ??= this.#check
    const adopt = (late: Found) => typeof late === 'object' && !this.#operations.disposed && onLate?.(late)
    void reading?.then(adopt, () => {})
    return 'unreadable'
  }

  /**
   * Writes what the vault holds when the turn comes, unless it has changed since `mark`.
   *
   * @param refreshed the tokens come from a refresh, which other tabs may have overtaken: then nothing is written
   * @returns how the refresh was overtaken, if it was
   */
  persist(
    vault: Vault,
    mark: Mark,
    refreshed: boolean,
  ): Promise<Overtaken | undefined> | Overtaken | undefined {
    const storage = this.#storage
    if (!storage) return undefined
    const leaveOut = this.#kernel.settings.persist !== 'all'
    const current = (withoutAccess = leaveOut) =>
      vault.isCurrent(mark) ? recordOf(vault, withoutAccess) : undefined
    let overtaken: Overtaken | undefined
    const written = (result: unknown, record: SessionRecord) => {
      this.#hasRecord = true
      overtaken = result === 'newer' || result === 'gone' ? result : undefined
      this.#missed = undefined
      if (!overtaken) this.#operations.recovered()
      return record
    }
    const write = (withoutAccess?: boolean) => {
      const record = current(withoutAccess)
      if (!record) return undefined
      const result = storage.replace ? this.#replace(record, refreshed) : storage.write(record)
      return whenDone(result, (answer) => written(answer, record))
    }
    // If there is little room, there may still be enough for what the next start needs.
    const writeLess = () => write(true)
    // The store may still hold a spent refresh token: sent after a reload, it would end the session on the server. No record is
    // better, unless each refresh needs a turn: that shows which token is spent. Then other processes use the access token, too.
    const remedies =
      this.#kernel.options.coordinator?.lock === 'required'
        ? [() => write(), writeLess]
        : [writeLess, () => (current() ? this.#empty() : undefined)]
    const done = this.#operations.run(
      () => {
        if (!refreshed || !current() || storage.replace) return write()
        const writeUnlessOvertaken = (stored: unknown) => {
          const record = current()
          overtaken = record && this.#overtakenBy(stored, record)
          return overtaken ? undefined : write()
        }
        return afterReading(storage, writeUnlessOvertaken, () => write())
      },
      remedies,
      (record) => vault.isCurrent(mark) || this.#overtake(vault, record),
    )
    return whenDone(done, () => overtaken)
  }

  /**
   * Clears the store.
   *
   * @param ended the session that ended; without it, whatever there is
   * @param isSignOut clears any session, also a newer one
   * @param revocation receives the record that is found
   */
  clear(ended?: Lineage, isSignOut = !ended, revocation?: RevocationList): unknown {
    const storage = this.#storage
    if (!storage) return undefined
    const covered = ended && coveredBy(ended, isSignOut)
    const empty = () => this.#empty(covered)
    const emptyUnlessNewer = (stored: unknown) => {
      if (!isSessionRecord(stored)) return empty()
      revocation?.add(stored)
      return ended && !isSignOut && !endsSession(ended, stored, false) ? undefined : empty()
    }
    const looks = !isSignOut || revocation !== undefined
    if (!looks) (storage as Removable)[REMOVE]?.()
    const done = this.#operations.run(() =>
      looks ? afterReading(storage, emptyUnlessNewer, empty) : empty(),
    )
    if (isSignOut) this.#clearAgain(done, ended)
    return done
  }

  /** A session that was signed out of must not be found later. What another tab has stored since stays. */
  #clearAgain(cleared: unknown, ended: Lineage | undefined): void {
    const id = ended?.id ?? ''
    const earlier = { id, rotation: Number.POSITIVE_INFINITY, startedAt: this.#kernel.clock.now() + 1 }
    const retry = () => watch(this.clear(earlier, false))
    const watch = (done: unknown) =>
      void Promise.resolve(done).then((result) => {
        if (result !== FAILED && this.#missed === retry) this.#missed = undefined
      })
    this.#missed = retry
    watch(cleared)
  }

  /** Clears the store if it could not be read. */
  abandon(): void {
    if (this.#missed === this.#check) this.clear()
  }

  readonly #check = () => this.#kernel.mailbox.send({ type: 'store.changed' })

  /** The session has ended here as well: that its record is gone means nothing any more. */
  forget(): void {
    this.#hasRecord = false
  }

  /** Some stores answer in another order: a late write may have undone what was asked after it. */
  #overtake(vault: Vault, record: unknown): unknown {
    if (!isSessionRecord(record)) return undefined
    const isHeld = vault.tokens?.id === record.id
    return isHeld ? this.persist(vault, vault.mark(), true) : this.clear(record, false)
  }

  /** Resolves when a write that is late has ended, and what follows from that; `undefined` without one. */
  get late(): Promise<unknown> | undefined {
    return this.#operations.late
  }

  /** Resolves when everything that was asked of the store is done. */
  idle(): Promise<void> {
    return this.#operations.idle()
  }

  /** Waits for no other tab any more. */
  hurry(): void {
    this.#isHurried = true
    for (const leave of this.#pauses ?? []) leave()
  }

  /** Releases all waiting calls. What the store was asked before is done all the same. */
  dispose(): void {
    this.hurry()
    this.#operations.dispose()
  }

  #inspect(value: unknown): Found {
    // A copy, because what a store returned may change afterwards.
    const record = isSessionRecord(value) && { ...value }
    if (isSessionRecord(record)) {
      this.#hasRecord = true
      this.#isReliable = true
      return record
    }
    // 'gone' stays true until `forget`: a caller with an outdated mark ignores it, so it must not be consumed.
    if (value === undefined || value === null) return this.#hasRecord ? 'gone' : undefined
    this.#hasRecord = false
    this.#operations.fail(new StorageError('', { reason: 'invalid_record' }))
    return undefined
  }

  #overtakenBy(stored: unknown, record: SessionRecord): Overtaken | undefined {
    if (isSessionRecord(stored)) {
      const order = compareSessions(stored, record)
      return order === 'signedIn' || order === 'refreshed' ? 'newer' : undefined
    }
    const isGone = stored === undefined || stored === null
    return isGone && this.#hasRecord && this.#isReliable ? 'gone' : undefined
  }

  #replace(record: SessionRecord, refreshed: boolean): Replaced | PromiseLike<Replaced> | undefined {
    const { id, rotation } = record
    const expected = refreshed && this.#hasRecord ? { id, rotation: rotation - 1 } : undefined
    return this.#storage?.replace?.(record, expected)
  }

  #empty(ended?: EndedSession): unknown {
    this.#hasRecord = false
    return this.#storage?.clear(ended)
  }
}

/** Without the tokens that `ended` may have. */
const coveredBy = ({ id, rotation, startedAt }: Lineage, isSignOut: boolean): EndedSession =>
  isSignOut
    ? { id, rotation: Number.POSITIVE_INFINITY, startedAt: Number.POSITIVE_INFINITY }
    : { id, rotation, startedAt }

/** Looks at what is stored before it is changed. If that fails, it is changed all the same. */
function afterReading(
  storage: SessionStorage,
  onStored: (stored: unknown) => unknown,
  onUnreadable: () => unknown,
): unknown {
  let stored: unknown
  try {
    stored = storage.read()
  } catch {
    return onUnreadable()
  }
  return whenDone(stored, onStored, onUnreadable)
}
