import { isAuthError } from './errors.ts'
import { isObject } from './platform/is-object.ts'

/** Errors wrap errors. Levels below this depth are not looked at. */
const DEPTH = 5
/** Where HTTP and GraphQL clients keep the error that they wrap. */
const INNER = ['cause', 'networkError', 'originalError', 'response'] as const

/**
 * Whether an error says that the session has no token for a request: it expired, the user signed out, or the token cannot be
 * refreshed. Clients that retry by themselves need not retry such a request. An error of the library is also recognised inside
 * another error.
 *
 * @param error what a client threw
 * @returns whether it is, or wraps, an error of this library
 *
 * @example
 * ```ts
 * const queryClient = new QueryClient({
 *   defaultOptions: { queries: { retry: (count, error) => count < 3 && !isSessionError(error) } },
 * })
 * ```
 */
export function isSessionError(error: unknown): boolean {
  let level: readonly unknown[] = [error]
  for (let depth = 0; depth < DEPTH && level.length > 0; depth++) {
    if (level.some(isAuthError)) return true
    level = level.filter(isObject).flatMap((outer) => INNER.map((name) => outer[name]))
  }
  return false
}
