import { StorageError } from '../core/errors.ts'

/** @throws StorageError with the reason `'invalid_record'` */
export function parseRecord(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What a parser says quotes what it read, and that was a token.
    throw new StorageError('The stored session is not JSON.', { reason: 'invalid_record' })
  }
}
