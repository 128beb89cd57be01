import type { AuthOptions } from '../core/options.ts'
import { canonicalEndpoint } from './canonical-endpoint.ts'
import { observeFetch } from './watch-fetch.ts'

type URLs = readonly (string | URL)[]

/** How many endpoints are recorded. The functions of an app use a few; a URL with an id in its path could make it many. */
const LIMIT = 1_000

/**
 * The endpoints of the session, which issue, refresh and revoke tokens. A page must not reach them through the
 * worker, because it could read a token in the answer.
 */
export interface SessionEndpoints {
  /** Whether a URL leads to one of them, however it is written. */
  has(url: string): boolean
  /** Wraps `refresh`, `signIn` and `revoke`, so that what they send is recorded. */
  record(options: AuthOptions<never>): AuthOptions<never>
}

/**
 * @param named endpoints that are known from the start
 * @param shared URLs that also serve the pages, and are never refused
 * @throws TypeError if one of them is not an absolute URL
 */
export function createSessionEndpoints(named: URLs = [], shared: URLs = []): SessionEndpoints {
  const keyOf = (url: string | URL) => canonicalEndpoint(new URL(url, globalThis.location?.href))
  const neverRefused = new Set(shared.map(keyOf))
  const known = new Set(named.map(keyOf))

  /** Records what a function sends. A request with a token goes to an API, unless that is the refresh token. */
  const recorder = (refreshToken?: string) => ({
    sent(url: string | URL, authorization: string | undefined) {
      const [, token] = /^(?:bearer|dpop) +(.+)$/i.exec(authorization ?? '') ?? []
      if (token !== undefined && token !== refreshToken) return
      try {
        if (known.size < LIMIT) known.add(keyOf(url))
      } catch {
        // The request fails as well.
      }
    },
  })

  return {
    has(url) {
      const key = keyOf(url)
      return known.has(key) && !neverRefused.has(key)
    },
    record(options) {
      const { refresh, signIn, revoke } = options
      return {
        ...options,
        refresh: (request) => observeFetch(() => refresh(request), recorder(request.refreshToken)),
        ...(signIn && {
          signIn: (credentials, context) => observeFetch(() => signIn(credentials, context), recorder()),
        }),
        ...(revoke && {
          revoke: (tokens, context) =>
            observeFetch(() => revoke(tokens, context), recorder(tokens.refreshToken)),
        }),
      }
    },
  }
}
