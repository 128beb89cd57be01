import { StorageError } from '../core/errors.ts'
import { kindOfFailure } from '../core/session/store-failure.ts'

/** The text of a foreign error may quote an address with a password, so only its kind is passed on. */
export function unreachable(error: unknown): StorageError {
  if (error instanceof StorageError) return error
  const reason = kindOfFailure(error)
  return new StorageError(`The database of the sessions failed (${reason}). Try again later.`, { reason })
}

/** What a database answers, and its errors as those of the library. */
export const reached = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error) => {
    throw unreachable(error)
  })
