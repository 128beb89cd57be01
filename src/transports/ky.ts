/**
 * The session for ky.
 *
 * @module
 */
import type { AuthHandle } from '../core/auth.ts'
import { isSessionError } from '../core/session-error.ts'
import { type AuthFetchOptions, createAuthFetch } from './fetch.ts'

/** The options of ky that `authKy` sets. */
export interface AuthKyOptions {
  /** Sends a request with the token of the session. */
  fetch: typeof fetch
  /** Keeps ky from repeating a request after an error of the session. All other limits stay those of ky. */
  retry: {
    /** Returns `false` for an error of the session, and otherwise `undefined`, which leaves the decision to ky. */
    shouldRetry(state: { readonly error: unknown }): boolean | undefined
  }
  /** The same for a `retry` that is a number, which drops `shouldRetry`. */
  hooks: {
    /** Throws an error of the session, so that ky stops. ky runs it after the hooks of the instance that is extended. */
    beforeRetry: ((state: { readonly error: unknown }) => void)[]
  }
}

/**
 * Creates options for ky: a `fetch` that sends the session's token, and no retries of errors of the session. ky 1 retries each
 * error of its `fetch`, so that the end of a session would reach the caller a second later.
 *
 * A `retry` that is a number replaces the option of this function. Then ky waits once before it gives up.
 *
 * @param auth the session
 * @param options the origins that get the token, and what to send with
 * @returns options for `ky.extend`
 * @throws TypeError outside of a page, if `origins` is not set
 *
 * @example
 * ```ts
 * const api = ky.extend(authKy(auth, { origins: ['https://api.example.com'] }))
 * const me = await api('https://api.example.com/me').json()
 * ```
 */
export function authKy(auth: AuthHandle, options: AuthFetchOptions = {}): AuthKyOptions {
  return {
    fetch: createAuthFetch(auth, options),
    // `undefined` leaves the decision to ky.
    retry: { shouldRetry: ({ error }) => (isSessionError(error) ? false : undefined) },
    hooks: {
      beforeRetry: [
        ({ error }) => {
          if (isSessionError(error)) throw error
        },
      ],
    },
  }
}
