const exposed = new WeakSet<object>()

/**
 * Marks an error in a worker, so that it reaches the page as it is. Otherwise only `error`, `error_description`, `code` and
 * `status` of an error cross, because its message and its other fields may quote a token.
 *
 * Of an `Error`, its name, its message and its own enumerable fields cross; of a `Response`, its status, headers and body;
 * of any other object, all of it. They must hold no secret, and they are copied as `postMessage` copies.
 *
 * @param error what the app's `signIn` throws
 * @returns the same object
 *
 * @example
 * ```ts
 * // auth.worker.ts
 * const auth = createAuth({
 *   async signIn(user: { username: string; password: string }, { signal }) {
 *     const response = await post('/session', user, signal)
 *     if (response.status === 423) throw exposeError(new Error('This account is locked.'))
 *     return response.json()
 *   },
 *   refresh,
 * })
 * ```
 */
export function exposeError<Thrown extends object>(error: Thrown): Thrown {
  exposed.add(error)
  return error
}

export const isExposed = (error: unknown): boolean => exposed.has(error as object)
