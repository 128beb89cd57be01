/**
 * The session for ofetch.
 *
 * @module
 */
import { type $Fetch, type FetchContext, type FetchOptions, type FetchRequest, ofetch } from 'ofetch'
import type { AnyAuth } from '../core/auth.ts'
import { AuthError } from '../core/errors.ts'
import { type AuthFetchOptions, authFetch } from './fetch.ts'
import { createOriginGuard } from './origins.ts'

/** Options of `createAuthOfetch`. */
export interface AuthOfetchOptions extends AuthFetchOptions {
  /** The instance to build on. Default: the package's `ofetch`. */
  readonly ofetch?: $Fetch
  /** Defaults of the new instance; the origin of its `baseURL` gets the token. */
  readonly defaults?: FetchOptions
}

/**
 * An ofetch instance over the session. The token is put on below ofetch's hooks and retries, for a hook cannot hand back
 * the answer of a replay.
 *
 * @param auth the session
 * @param options where the token may go, and the instance's defaults
 * @returns an instance that rejects with the session's own errors as they are, not wrapped in a `FetchError`, and does
 * not retry them
 * @throws TypeError where there is no page, no `defaults.baseURL` and no `origins`
 *
 * @example
 * ```ts
 * const api = createAuthOfetch(auth, { defaults: { baseURL: 'https://api.example.com' } })
 * const me = await api('/me')
 * ```
 */
export function createAuthOfetch(auth: AnyAuth, options: AuthOfetchOptions = {}): $Fetch {
  const { ofetch: base = ofetch, defaults = {} } = options
  const send = authFetch(auth, options, createOriginGuard('createAuthOfetch', options, defaults.baseURL))

  /** ofetch passes its own options on, and reads them again when a request fails. */
  async function unretried(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    try {
      return await send(input, init)
    } catch (error) {
      if (error instanceof AuthError && init) (init as FetchContext['options']).retry = false
      throw error
    }
  }

  return unwrapping(
    base.create(defaults, { fetch: unretried as typeof fetch }),
    send,
    unretried as typeof fetch,
  )
}

function unwrapping(instance: $Fetch, native: typeof fetch, fetch: typeof globalThis.fetch): $Fetch {
  const unwrap =
    <R>(call: (request: FetchRequest, options?: FetchOptions<never>) => Promise<R>) =>
    async (request: FetchRequest, options?: FetchOptions<never>): Promise<R> => {
      try {
        return await call(request, options)
      } catch (error) {
        const cause = error instanceof Error ? error.cause : undefined
        throw cause instanceof AuthError ? cause : error
      }
    }

  return Object.assign(unwrap(instance), {
    raw: unwrap(instance.raw),
    native,
    create: (defaults: FetchOptions, custom?: Parameters<$Fetch['create']>[1]) =>
      unwrapping(instance.create(defaults, { ...custom, fetch }), native, fetch),
  }) as $Fetch
}
