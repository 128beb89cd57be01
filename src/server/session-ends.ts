import type { StorageError } from '../core/errors.ts'
import type { Session, SessionRecord } from '../core/ports.ts'
import { publishEnd } from './end-messages.ts'
import type { FleetStore } from './fleet-store.ts'
import { hashKey } from './hash-key.ts'
import { inParallel } from './in-parallel.ts'
import type { Ended } from './pool-types.ts'
import type { Resident } from './resident.ts'
import type { Residents } from './residents.ts'
import type { SessionFactory } from './session-factory.ts'

/** The longest key that is looked up, in characters. Keys have 43. */
export const LONGEST_KEY = 512

/** Whether the tokens of a session are revoked; a function if that depends on its user. */
type Revokes = boolean | ((subject: string | undefined) => boolean)

/** What came of the end of a session. */
interface EndOfSession {
  /** Whether there was one. */
  readonly isEnded: boolean
  /** Resolves when its tokens are revoked, or the server has not answered in time. Never rejects. */
  readonly revoke: () => Promise<void>
  /** Why the database did not end it. */
  readonly error: StorageError | undefined
}

const nothing = async () => {}

/** Ends sessions of a pool here and in all processes. */
export class SessionEnds {
  readonly #sessions: SessionFactory
  readonly #residents: Residents
  readonly #openedOf: (hash: string) => Promise<Resident | undefined>

  /** @param openedOf the session of a key that is being opened, after it was */
  constructor(
    sessions: SessionFactory,
    residents: Residents,
    openedOf: (hash: string) => Promise<Resident | undefined>,
  ) {
    this.#sessions = sessions
    this.#residents = residents
    this.#openedOf = openedOf
  }

  /** Resolves to how many sessions ended: one, or none. */
  async endKey(key: string, revokes: Revokes): Promise<number> {
    if (key === '' || key.length > LONGEST_KEY) return 0
    return this.endHashes([await hashKey(key)], revokes)
  }

  /**
   * Ends sessions in the fleet. Their tokens are revoked in the background after all have ended: a server that does not answer must
   * neither keep any of them alive, nor the caller waiting.
   *
   * @returns how many there were
   * @throws StorageError if the database did not end all of them. Here they have ended
   */
  async endHashes(hashes: readonly string[], revokes: Revokes): Promise<number> {
    const { revocations } = this.#sessions
    const ends = await revocations.count(inParallel(hashes, (hash) => this.#endHash(hash, revokes)))
    void revocations.count(inParallel(ends, ({ revoke }) => revoke()))
    for (const { error } of ends) if (error) throw error
    return ends.filter(({ isEnded }) => isEnded).length
  }

  async #endHash(hash: string, revokes: Revokes): Promise<EndOfSession> {
    const resident = this.#residents.withHash(hash)
    const store = resident?.store ?? this.#sessions.storeOf(hash)
    const isRevoked = typeof revokes === 'boolean' ? revokes : revokes(await subjectOf(resident, store))
    // Before the end: a process that finds the session missing would revoke the tokens of a refresh that it runs.
    if (!isRevoked) await this.#sessions.endWithoutRevocation(hash, store)
    let record: SessionRecord | undefined | 'sealed'
    let error: StorageError | undefined
    try {
      record = await store.end()
    } catch (failure) {
      // Here it ends in any case, and its tokens are revoked.
      error = failure as StorageError
    }
    // One that is being opened may have been read before it ended in the database.
    const held = resident ?? (await this.#openedOf(hash))
    if (!isRevoked && held && !resident) await this.#sessions.endWithoutRevocation(hash, held.store)
    if (held && !error) this.#residents.end(held)
    const isEnded = record !== undefined || held !== undefined
    const revoke = isRevoked ? await this.#revocationOf(hash, held, record) : nothing
    return { isEnded, revoke, error }
  }

  /** Ends the session of a key in the processes that hold it. The tokens of one that is held here are revoked from now on. */
  async #revocationOf(
    hash: string,
    held: Resident | undefined,
    record: SessionRecord | undefined | 'sealed',
  ): Promise<() => Promise<void>> {
    if (held) {
      const revoked = held.auth.signOut()
      return () => revoked
    }
    if (!record || record === 'sealed') return nothing
    const { accessToken, refreshToken } = record
    const { world, revocations } = this.#sessions
    // Other processes also find it missing. With the message they end it at once.
    await publishEnd(world.fleet, hash, record)
    return () => revocations.revoke({ accessToken: accessToken ?? '', refreshToken })
  }
}

/** The user of a session that may be held here. */
async function subjectOf(resident: Resident | undefined, store: FleetStore): Promise<string | undefined> {
  if (resident) return resident.auth.session?.subject
  // What cannot be read has no known user.
  return (await store.read().catch(() => undefined))?.subject
}

/**
 * Checks that one fact names the sessions to end: without it, all sessions would be meant that do not have it either.
 *
 * @throws TypeError
 */
export function checkEnded(who: Ended): void {
  const [[name, value] = [], ...others] = Object.entries(Object(who))
  if (!['key', 'subject', 'sid'].includes(name as string) || typeof value !== 'string' || others.length > 0)
    throw new TypeError('pool.end: give either key or subject or sid, as a text.')
}

/** Whether a session is one of those to be ended. */
export function isMeant(
  session: Session<unknown> | undefined,
  who: { subject: string } | { sid: string },
): boolean {
  if (!session) return false
  return 'subject' in who
    ? session.subject === who.subject
    : (session.claims as { sid?: unknown } | undefined)?.sid === who.sid
}
