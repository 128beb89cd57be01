import { StorageError } from '../core/errors.ts'

/** The longest text that is parsed, in characters. A record has a few thousand. */
const LONGEST = 1_048_576

/**
 * Parses the text of a stored record.
 *
 * @returns `undefined` if there is no text
 * @throws StorageError with the reason `'invalid_record'`
 */
export function parseRecord(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined
  try {
    if (text.length <= LONGEST) return JSON.parse(text)
  } catch {
    // Omit the cause: the message of a parse error may quote the token.
  }
  throw new StorageError('The stored session is not JSON.', { reason: 'invalid_record' })
}

/** Parses the stored time of the last use; `undefined` if there is none. */
export const parseLastUse = (text: string | null): number | undefined =>
  text === null ? undefined : Number(text)
