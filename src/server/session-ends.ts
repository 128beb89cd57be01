import type { Session } from '../core/ports.ts'
import type { FleetStore } from './fleet-store.ts'
import { hashKey } from './hash-key.ts'
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
  readonly revoked: Promise<void> | undefined
}

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
    if (typeof key !== 'string') throw new TypeError('pool.end: key must be a text.')
    if (key === '' || key.length > LONGEST_KEY) return 0
    const { isEnded, revoked } = await this.endHash(await hashKey(key), revokes)
    await revoked
    return isEnded ? 1 : 0
  }

  /** Ends the session of a key in the fleet. Does not wait until its tokens are revoked. */
  async endHash(hash: string, revokes: Revokes): Promise<EndOfSession> {
    const resident = this.#residents.withHash(hash)
    const store = resident?.store ?? this.#sessions.storeOf(hash)
    const isRevoked = typeof revokes === 'boolean' ? revokes : revokes(await subjectOf(resident, store))
    const endHere = async () => {
      // One that is being opened may have been read before it ended in the database.
      const held = resident ?? (await this.#openedOf(hash))
      if (!isRevoked && held && !resident) await this.#sessions.endWithoutRevocation(hash, held.store)
      return { held, revoked: isRevoked ? held?.auth.signOut() : undefined }
    }
    // Before the end: a process that finds the session missing would revoke the tokens of a refresh that it runs.
    if (!isRevoked) await this.#sessions.endWithoutRevocation(hash, store)
    try {
      const record = await store.end()
      const { held, revoked } = await endHere()
      const isEnded = record !== undefined || held !== undefined
      if (held || !isRevoked || !record || record === 'sealed') return { isEnded, revoked }
      return { isEnded, revoked: this.#sessions.endElsewhere(hash, record) }
    } catch (error) {
      // Here it ends in any case, and its tokens are revoked.
      await (await endHere()).revoked
      throw error
    }
  }
}

/** The user of a session that may be held here. */
async function subjectOf(resident: Resident | undefined, store: FleetStore): Promise<string | undefined> {
  if (resident) return resident.auth.session?.subject
  // What cannot be read has no known user.
  return (await store.read().catch(() => undefined))?.subject
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
