import { StorageError } from '../core/errors.ts'

/**
 * Parses the text of a stored record.
 *
 * @throws StorageError with the reason `'invalid_record'`
 */
export function parseRecord(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Omit the cause: the message of a parse error may quote the token.
    throw new StorageError('The stored session is not JSON.', { reason: 'invalid_record' })
  }
}
