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

/** The fields of a foreign error that are looked at. */
export interface ForeignError {
  readonly code?: unknown
  readonly message?: unknown
}

/** What to do about a failure that does not pass by itself. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['no_table', 'Create its table with postgresSchema().'],
  ['old_table', 'Bring its table up to date with postgresSchema().'],
  ['no_database', 'Check its name in the address.'],
  ['not_allowed', 'Check the user, the password and the permissions.'],
  ['read_only', 'Connect to the primary: this server only lets read.'],
  ['out_of_memory', 'Give the database more memory.'],
  ['out_of_resources', 'Give the database more connections or memory, or use fewer connections.'],
  ['wrong_node', 'Use a client for clusters.'],
  ['failed_transaction', 'End the transaction that failed on this connection: the app has left it open.'],
  ['no_prepared_statement', 'Turn prepared statements off in the client: a pooler forgets them.'],
])

/**
 * The error of a command that failed. The text of a foreign error may quote a session or an address with a password, so only
 * the kind is passed on.
 *
 * @param reasonOf knows the errors of one kind of database
 */
export function databaseFailure(
  error: unknown,
  reasonOf: (error: ForeignError) => string | undefined,
): StorageError {
  if (error instanceof StorageError) return error
  const reason = known(error, reasonOf) ?? kindOfFailure(error)
  const advice = ADVICE.get(reason) ?? 'Try again later.'
  return new StorageError(`The database of the sessions failed (${reason}). ${advice}`, { reason })
}

/** A code of the operating system, such as `ECONNREFUSED`. */
const SYSTEM_CODE = /^E[A-Z]{3,30}$/
/** What clients say of a connection that they do not have: their errors often lack a code. */
const NO_CONNECTION = /connect|socket|closed|terminated|timeout|timed out|max retries|offline|startup nodes/i

function known(error: unknown, reasonOf: (error: ForeignError) => string | undefined): string | undefined {
  try {
    const fields = Object(error) as ForeignError
    const { code, message } = fields
    const reason = reasonOf(fields)
    if (reason !== undefined) return reason
    if (typeof code === 'string' && SYSTEM_CODE.test(code)) return code
    return NO_CONNECTION.test(`${code} ${message}`) ? 'unavailable' : undefined
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
