import { createTargetGuard, type OriginOptions } from '../transports/origins.ts'
import type { PackedRequest } from './protocol.ts'
import type { SessionEndpoints } from './session-endpoints.ts'

/** Decides what a page may do through the worker. A page that runs a foreign script may ask for anything. */
export interface PageAccess {
  /** Returns the URL to send a request to, or `undefined` if it is refused. */
  targetOf(request: PackedRequest): string | undefined
  /** Whether the page may read a response. Redirects may have led elsewhere. */
  mayRead(request: PackedRequest, response: Response): boolean
}

/** Headers by which some servers route a request to another path than that of its URL. */
const REROUTES = /^x-(original|rewrite)-ur[il]$/i

/** @throws TypeError if the token has no origin to be confined to */
export function createPageAccess(
  options: OriginOptions & { readonly exclude?: (url: string) => boolean },
  endpoints: SessionEndpoints,
): PageAccess {
  const { exclude } = options
  const covered = createTargetGuard('serveAuth', options)

  function targetOf(url: string): string | undefined {
    const href = absolute(url)
    const target = href && covered(href)
    return !target || endpoints.has(target) || exclude?.(target) ? undefined : target
  }

  return {
    targetOf: ({ url, headers }) =>
      headers.some(([name]) => REROUTES.test(name)) ? undefined : targetOf(url),

    mayRead({ credentials }, { redirected, url }) {
      if (!redirected || url === '') return true
      // A file may be downloaded from another origin, but not with cookies, which may be those of the session.
      const isCovered = covered(url) !== undefined
      return !endpoints.has(url) && (isCovered || credentials !== 'include')
    },
  }
}

/** The worker does not resolve a relative URL: it would mean something else here than on the page. */
function absolute(url: string): string | undefined {
  try {
    return /^https?:\/\//i.test(url) ? new URL(url).href : undefined
  } catch {
    return undefined
  }
}
