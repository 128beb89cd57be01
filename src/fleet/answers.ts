import { StorageError } from '../core/errors.ts'
import { kindOfFailure } from '../core/session/store-failure.ts'
import type { StoredSession } from './fleet.ts'

/** The longest text that is taken from a database, in characters. */
const LONGEST = 1_000_000
/** The most keys of one tag that are taken from a database. */
const MOST_KEYS = 100_000

/** The error of an answer that no engine gives. It quotes nothing, because the answer may hold a session. */
export const garbled = () =>
  new StorageError(
    'The database of the sessions answered something else than a fleet does. Check what the link returns, and that the keys are not used by others.',
    { reason: 'invalid_answer' },
  )

/**
 * The error of a command that failed. The text of a foreign error may quote a session or an address with a password, so only
 * the kind is passed on.
 *
 * @param reasonOf knows the errors of one kind of database
 */
export function databaseFailure(
  error: unknown,
  reasonOf: (error: { readonly code?: unknown; readonly message?: unknown }) => string | undefined,
): StorageError {
  if (error instanceof StorageError) return error
  const reason = known(error, reasonOf) ?? kindOfFailure(error)
  return new StorageError(`The database of the sessions failed (${reason}). Try again later.`, { reason })
}

/** A code of the operating system, such as `ECONNREFUSED`. */
const SYSTEM_CODE = /^E[A-Z]{3,30}$/

function known(
  error: unknown,
  reasonOf: (error: { readonly code?: unknown; readonly message?: unknown }) => string | undefined,
): string | undefined {
  try {
    const fields = Object(error) as { readonly code?: unknown; readonly message?: unknown }
    const { code } = fields
    return reasonOf(fields) ?? (typeof code === 'string' && SYSTEM_CODE.test(code) ? code : undefined)
  } catch {
    // A getter of a foreign error may throw.
    return undefined
  }
}

/** A text: as such, as bytes, or as a number that a client has made of it. */
export function textOf(value: unknown): string {
  const text =
    value instanceof Uint8Array
      ? new TextDecoder().decode(value)
      : typeof value === 'number' || typeof value === 'bigint'
        ? String(value)
        : value
  if (typeof text !== 'string' || text.length > LONGEST) throw garbled()
  return text
}

export function numberOf(value: unknown): number {
  const text = textOf(value)
  const number = Number(text)
  if (text.trim() === '' || Number.isNaN(number)) throw garbled()
  return number
}

/** A number, or `undefined` for nothing or an empty text. */
export const optionalNumber = (value: unknown): number | undefined =>
  isMissing(value) || value === '' || (value instanceof Uint8Array && value.length === 0)
    ? undefined
    : numberOf(value)

export const isMissing = (value: unknown): value is null | undefined | false =>
  value === null || value === undefined || value === false

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length > MOST_KEYS) throw garbled()
  return value
}

/** A session from its fields in the order of `StoredSession`; the tags are the JSON of a list of texts. */
export function sessionOf(fields: readonly unknown[]): StoredSession {
  const [id, rotation, startedAt, until, tags, box] = fields
  return {
    id: textOf(id),
    rotation: numberOf(rotation),
    startedAt: numberOf(startedAt),
    until: numberOf(until),
    tags: tagsOf(textOf(tags)),
    box: textOf(box),
  }
}

/** A list of texts from its JSON. */
export function tagsOf(text: string): readonly string[] {
  try {
    return listOf(JSON.parse(text)).map(textOf)
  } catch {
    throw garbled()
  }
}

/** A message about a key, as it travels on the one channel of a fleet. */
export const packMessage = (key: string, message: string) => JSON.stringify([key, message])

/** Passes a packed message on. Anything else on the channel is ignored. */
export function unpackMessage(text: unknown, hear: (key: string, message: string) => void): void {
  let unpacked: unknown
  try {
    unpacked = JSON.parse(textOf(text))
  } catch {
    return
  }
  if (!Array.isArray(unpacked)) return
  const [key, message] = unpacked
  if (typeof key === 'string' && typeof message === 'string') hear(key, message)
}
