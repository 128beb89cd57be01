import { compareSessions, type Lineage } from '../../machines/policies.ts'
import { ATTACH, type StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { EndedSession, Replaced, SessionRecord, StoredRotation } from '../core/ports.ts'
import type { FleetCoordinator } from '../fleet/coordinator.ts'
import type { StoredSession } from '../fleet/fleet.ts'
import { behindBy, CLOCK_MARGIN, wasStoredBefore, withTime } from './clock-skew.ts'
import { endBefore, isSpared, SPARED } from './end-messages.ts'
import { seal } from './seal.ts'
import { nameOf, openSession, placeOf } from './session-box.ts'
import type { StoreWorld } from './store-world.ts'
import { tagsOf } from './tags.ts'
import { unreachable } from './unreachable.ts'
import { whenKnown } from './when-known.ts'

/** A session is stored no longer than this after it was written last, in milliseconds. */
const LONGEST = 5 * 365 * 86_400_000

/** The code that a store of the library carries. */
const SHARE = withSharing({})[ATTACH]

const nothing = () => {}

/** The store of one session in a fleet, sealed. One object without closures, because a process has thousands of them. */
export class FleetStore implements StorageFeature {
  readonly [ATTACH] = SHARE
  /** Receives the messages that are meant for it. */
  coordinator: FleetCoordinator | undefined
  readonly #world: StoreWorld
  /** The fleet's key. It may still be computed. */
  readonly #key: string | Promise<string>
  /** What this process read or wrote last: id and rotation, or an empty text if nothing is stored. */
  #known: string | undefined
  /** What it is writing right now. */
  #writing: string | undefined
  /** The tags of the session of that id. */
  #tags: { readonly id: string; readonly tags: readonly string[] } | undefined
  /** What the next `read` returns. */
  #prefetched: { readonly record: SessionRecord | undefined } | undefined
  #onChange = nothing
  /** Ends the subscription. It begins before the first read, so that no message is missed in between. */
  #stop: (() => void) | undefined
  #isOutdated = false
  /** How much later the sign-ins of this process are than its clock says, in milliseconds: it may be behind those of others. */
  #behind = 0
  #lastUse: number | undefined
  #wroteUseAt = Number.NEGATIVE_INFINITY
  #lookedAt = Number.NEGATIVE_INFINITY
  #checking: Promise<void> | undefined
  /** Whether the last operation failed. */
  #isFailing = false
  /** Tokens that this process holds, and that may be missing in the database, because writing them failed. */
  #owed: Lineage | undefined

  constructor(world: StoreWorld, key: string | Promise<string>) {
    this.#world = world
    this.#key = key
  }

  /** Whether tokens that this process holds may be missing in the database, because writing them failed. */
  get isBehind(): boolean {
    return this.#owed !== undefined
  }

  /** When the database was last read or written, in milliseconds since the Unix epoch. */
  get lookedAt(): number {
    return this.#lookedAt
  }

  /** The `id` of the session that this process knows. */
  get id(): string | undefined {
    return this.#tags?.id
  }

  /**
   * Reads for the next `read`, so that a session is only made of what can be read.
   *
   * @returns whether there is a session
   * @throws StorageError
   */
  async prefetch(): Promise<boolean> {
    this.#listen()
    try {
      do {
        this.#isOutdated = false
        this.#prefetched = { record: await this.#read() }
        // A message that came meanwhile may be about the end of what was read.
      } while (this.#isOutdated)
    } catch (error) {
      this.#unsubscribe()
      throw error
    }
    if (this.#prefetched.record) return true
    this.#unsubscribe()
    return false
  }

  /** The next `read` finds nothing: the key is new. */
  startEmpty(): void {
    this.#known = ''
    this.#prefetched = { record: undefined }
  }

  /** @throws StorageError if the box cannot be opened. It stays as it is */
  async read(): Promise<SessionRecord | undefined> {
    const prefetched = this.#prefetched
    this.#prefetched = undefined
    return prefetched ? prefetched.record : this.#read()
  }

  async #read(): Promise<SessionRecord | undefined> {
    const key = await this.#key
    const stored = await this.#use(() => this.#world.fleet.read(key))
    if (!stored) {
      this.#known = ''
      return undefined
    }
    const { keys, clock } = this.#world
    const opened = await openSession(keys, key, stored, clock.now())
    const owed = this.#owed
    if (owed && wasStoredBefore(owed, stored, clock.now()))
      this.#behind = behindBy(owed.startedAt, stored.startedAt, this.#behind)
    const record = startedLater(opened, -this.#behind)
    this.#known = nameOf(record)
    if (this.#owed && compareSessions(record, this.#owed) !== 'older') this.#paid()
    this.#tags = { id: record.id, tags: stored.tags }
    return record
  }

  async write(record: SessionRecord): Promise<void> {
    await this.replace(record, undefined)
  }

  async replace(record: SessionRecord, expected: StoredRotation | undefined): Promise<Replaced> {
    const name = nameOf(record)
    const begins = !expected && this.#tags?.id !== record.id
    this.#owed = record
    try {
      this.#writing = name
      let result = await this.#replace(record, expected)
      if (begins && result !== 'written' && (await this.#movesStart(record)))
        result = await this.#replace(record, expected)
      if (result === 'written') this.#known = name
      // The message about it may be lost.
      if (result === 'gone' && (await isSpared(this.#world, await this.#key)))
        this.coordinator?.receive(SPARED)
      this.#paid()
      return result
    } catch (error) {
      const { id, rotation } = record
      if (rotation > 0) void this.coordinator?.keepMark({ id, rotation: rotation - 1 })
      throw error
    } finally {
      if (this.#writing === name) this.#writing = undefined
    }
  }

  async #replace(record: SessionRecord, expected: StoredRotation | undefined): Promise<Replaced> {
    const key = await this.#key
    const tags = this.#tags?.id === record.id ? this.#tags.tags : await tagsOf(record)
    const stored = { ...(await this.#seal(key, startedLater(record, this.#behind))), tags }
    const result = await this.#use(() => this.#world.fleet.replace(key, stored, expected))
    // Not before: until a sign-in is stored, another attempt to store it still begins a session.
    if (result === 'written') this.#tags = { id: record.id, tags }
    return result
  }

  /** Whether a sign-in only seems to be earlier than one that was stored before: the clocks of the processes differ. */
  async #movesStart({ startedAt }: Lineage): Promise<boolean> {
    const key = await this.#key
    const latest = (await this.#use(() => this.#world.fleet.readStart(key))) ?? 0
    const before = this.#behind
    this.#behind = behindBy(startedAt, latest, before)
    return this.#behind > before
  }

  async clear(ended?: EndedSession): Promise<void> {
    const key = await this.#key
    await this.#use(async () => this.#world.fleet.remove(key, await this.#endingNow(key, ended)))
    this.#known = ''
    this.#paid()
  }

  /** A sign-out ends whatever is stored now, and not the sign-ins after it. */
  async #endingNow(key: string, ended?: EndedSession): Promise<EndedSession> {
    if (ended && ended.startedAt < Number.POSITIVE_INFINITY) return startedLater(ended, this.#behind)
    const stored = await this.#world.fleet.read(key)
    // If the database has lost the session, another process may still hold it. Not everything before now, because clocks differ.
    const { id, startedAt } = stored ?? { id: '', startedAt: this.#world.clock.now() - CLOCK_MARGIN }
    return { id: ended?.id ?? id, rotation: Number.POSITIVE_INFINITY, startedAt: startedAt + 1 }
  }

  subscribe(onChange: () => void): () => void {
    this.#onChange = onChange
    this.#listen()
    if (this.#isOutdated) onChange()
    return () => this.#unsubscribe()
  }

  #listen(): void {
    this.#stop ??= whenKnown(this.#key, (key) =>
      this.#world.fleet.subscribe(key, (message) => this.#receive(message)),
    )
  }

  #unsubscribe(): void {
    this.#onChange = nothing
    this.#world.succeeded(this)
    this.#stop?.()
    this.#stop = undefined
  }

  async readLastUse(): Promise<number | undefined> {
    if (!this.#mayWriteUse) return this.#lastUse
    const { fleet, clock } = this.#world
    const key = await this.#key
    // By the database's clock, because the clocks of processes differ.
    const ago = await this.#use(() => fleet.readLastUse(key))
    return ago === undefined ? undefined : clock.now() - Math.max(0, ago)
  }

  async writeLastUse(at: number): Promise<void> {
    this.#lastUse = Math.max(at, this.#lastUse ?? at)
    if (!this.#mayWriteUse) return
    const { fleet, clock } = this.#world
    this.#wroteUseAt = clock.now()
    const key = await this.#key
    await this.#use(() => fleet.writeLastUse(key, Math.max(0, clock.now() - at)))
  }

  /** Makes the session compare what it holds with what is stored. */
  look(): void {
    this.#onChange()
  }

  /**
   * Reads, and makes the session look only if something else is stored than this process knows.
   *
   * @param isHeld whether the session holds tokens, so that a missing record is news, even if it was read before
   */
  check(isHeld = this.#known !== ''): Promise<void> {
    // At once, so that a burst of uses causes one read.
    this.#lookedAt = this.#world.clock.now()
    const checking = this.#check(isHeld).finally(() => {
      if (this.#checking === checking) this.#checking = undefined
    })
    this.#checking = checking
    return checking
  }

  /** The look that `check` has begun last, if it still runs. Nothing waits for a database that fails. */
  get checking(): Promise<void> | undefined {
    return this.#isFailing ? undefined : this.#checking
  }

  async #check(isHeld: boolean): Promise<void> {
    try {
      const key = await this.#key
      const stored = await this.#use(() => this.#world.fleet.read(key))
      const found = nameOf(stored)
      const isNews = found === '' ? isHeld : found !== this.#known && found !== this.#writing
      const end = found === '' && isHeld ? await this.#endOf(key) : ''
      // A sign-in that is being written is later.
      if (end && !this.#writing) this.coordinator?.receive(end)
      if (this.#owed || isNews) this.#onChange()
    } catch {
      // `#use` has reported it.
    }
  }

  /** What the message about the end of the session would have been. It says nothing about later sessions. */
  async #endOf(key: string): Promise<string> {
    const startedAt = await this.#use(() => this.#world.fleet.readStart(key))
    if (startedAt === undefined) return ''
    return (await isSpared(this.#world, key)) ? SPARED : endBefore(startedAt - this.#behind)
  }

  /**
   * Ends the session in all processes, whichever tokens they have. No session begins under this key again, so the end covers any:
   * if the database has lost this one, a process that still holds it cannot write it back.
   *
   * @returns what was stored; `'sealed'` if it cannot be opened
   */
  async end(): Promise<SessionRecord | undefined | 'sealed'> {
    const { fleet, keys, clock } = this.#world
    const key = await this.#key
    const everything = { rotation: Number.POSITIVE_INFINITY, startedAt: Number.POSITIVE_INFINITY }
    const ended = { id: this.id ?? '', ...everything }
    const stored = await this.#use(() => fleet.remove(key, ended))
    this.#paid()
    return stored && openSession(keys, key, stored, clock.now()).catch(() => 'sealed' as const)
  }

  get #mayWriteUse(): boolean {
    const { clock, lastUseEvery } = this.#world
    const passed = clock.now() - this.#wroteUseAt
    return passed >= lastUseEvery || passed < 0
  }

  #receive(message: string): void {
    if (message === 'free') return
    if (message.startsWith('{')) {
      this.coordinator?.receive(message)
      return
    }
    if (message === this.#known || message === this.#writing) return
    this.#isOutdated = true
    this.#onChange()
  }

  async #seal(key: string, record: SessionRecord): Promise<Omit<StoredSession, 'tags'>> {
    const { keys, clock, ttl } = this.#world
    const { id, rotation, startedAt, expiresAt = 0, refreshTokenExpiresAt } = record
    const now = clock.now()
    const end = refreshTokenExpiresAt === undefined ? now + ttl : Math.max(refreshTokenExpiresAt, expiresAt)
    const until = Math.min(end + CLOCK_MARGIN, now + LONGEST)
    const box = await seal(keys, placeOf(key, record), JSON.stringify(withTime(record, now)))
    return { id, rotation, startedAt, until, box }
  }

  /** The database has what this process holds, or the session has ended. */
  #paid(): void {
    this.#owed = undefined
    this.#world.succeeded(this)
  }

  /** An operation of the database. */
  async #use<T>(operation: () => Promise<T>): Promise<T> {
    try {
      const result = await operation()
      this.#isFailing = false
      this.#lookedAt = this.#world.clock.now()
      // A read that works does not mean that the newer tokens are written.
      if (!this.#owed) this.#world.succeeded(this)
      return result
    } catch (error) {
      this.#isFailing = true
      if (this.#onChange !== nothing) this.#world.failed(this)
      throw unreachable(error)
    }
  }
}

const startedLater = <T extends Pick<Lineage, 'startedAt'>>(lineage: T, by: number): T =>
  by === 0 ? lineage : { ...lineage, startedAt: lineage.startedAt + by }
