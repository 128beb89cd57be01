import { StorageError } from '../core/errors.ts'
import { isObject } from '../core/platform/is-object.ts'
import type { SessionRecord, StoredRotation } from '../core/ports.ts'
import { isSessionRecord } from '../core/session/record.ts'
import type { FoundSession, StoredSession } from '../fleet/fleet.ts'
import { inOwnTime } from './clock-skew.ts'
import type { KeyRing } from './key-ring.ts'
import { open } from './seal.ts'

/** As in the messages of a fleet. */
export const nameOf = (stored: StoredRotation | undefined) =>
  stored ? `${stored.id} ${stored.rotation}` : ''

/** The version of the records that are read and written. */
const VERSION: SessionRecord['version'] = 1

/** The tag of all sessions. */
export const SESSION = 'session'

/** The tag of tokens that are still to be revoked. */
export const REVOCATION = 'revocation'

export const placeOfTokens = (key: string) => [REVOCATION, key]

export const placeOf = (key: string, { id, rotation }: StoredRotation) => ['session', key, id, rotation]

/**
 * Opens what is stored under a key.
 *
 * @param now by the clock of this process; matters only for a session that was found
 * @throws StorageError
 */
export async function openSession(
  keys: KeyRing,
  key: string,
  stored: StoredSession & Partial<FoundSession>,
  now = 0,
): Promise<SessionRecord> {
  const record = parse(await open(keys, placeOf(key, stored), stored.box))
  const isWhole =
    isSessionRecord(record) && nameOf(record) === nameOf(stored) && record.startedAt === stored.startedAt
  if (isWhole) return inOwnTime(record, stored.age, now)
  // During an update, processes of two versions share sessions.
  if (isObject(record) && typeof record.version === 'number' && record.version > VERSION)
    throw new StorageError(
      'The session was stored by a newer version of authchart. Update this process as well.',
      { reason: 'newer_version' },
    )
  throw new StorageError('The stored session was changed.', { reason: 'box_refused' })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Without the error, which quotes the text.
    return undefined
  }
}
