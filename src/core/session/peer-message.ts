import { isObject } from '../platform/is-object.ts'
import type { CoordinatorMessage } from '../ports.ts'
import { isWord } from './redact.ts'

/** The most characters of a session's id. */
const LONGEST_ID = 100

const isNumber = (value: unknown): value is number => Number.isFinite(value)

/**
 * Copies the known fields of a message, so that no other data crosses from one tab or process to another.
 *
 * @returns the message, or `undefined` for any other value, such as data that other code posts under the same name
 */
export function readPeerMessage(value: unknown): CoordinatorMessage | undefined {
  if (!isObject(value)) return undefined
  const { type, epoch, generation, reason, session, rotation, startedAt, spares } = value
  if (type !== 'changed' && type !== 'ended') return undefined
  if (!isNumber(epoch) || !isNumber(generation)) return undefined
  // Without its session, the message would mean any session.
  if (session !== undefined && !isId(session)) return undefined
  return {
    type,
    epoch,
    generation,
    ...(isWord(reason) && { reason }),
    // An unknown reason is not a sign-out, and is not shown.
    ...(type === 'ended' && reason !== undefined && !isWord(reason) && { reason: 'token_expired' }),
    ...(session !== undefined && { session }),
    ...(isNumber(rotation) && { rotation }),
    ...(isNumber(startedAt) && { startedAt }),
    ...(spares === true && { spares }),
  }
}

const isId = (value: unknown): value is string => typeof value === 'string' && value.length <= LONGEST_ID
