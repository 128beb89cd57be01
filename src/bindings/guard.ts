/**
 * Guards for routes, whatever the router.
 *
 * @module
 */
import { safeReturnPath } from './return-path.ts'
import type { AnyAuth } from './snapshot.ts'

export { safeReturnPath } from './return-path.ts'

export interface RequireSessionOptions {
  /** Where the user wants to go: a URL, or a path with its query and fragment. */
  readonly url: string | URL
  /** The path of the sign-in page. */
  readonly loginPath: string
  /** The name of the query parameter that brings the way back. Default: `'returnTo'`. */
  readonly param?: string
}

/**
 * Waits until the stored session was read; says where to send a user who is not signed in.
 *
 * @param auth the session
 * @returns the sign-in page with the way back in its query; `undefined` where there is a session
 * @throws DisposedError
 *
 * @example
 * ```ts
 * const login = await requireSession(auth, { url: request.url, loginPath: '/login' })
 * if (login) throw redirect(login)
 * ```
 */
export async function requireSession(
  auth: Pick<AnyAuth, 'ready' | 'session'>,
  { url, loginPath, param = 'returnTo' }: RequireSessionOptions,
): Promise<string | undefined> {
  await auth.ready()
  if (auth.session) return undefined
  const { pathname, search, hash } = new URL(url, 'http://localhost')
  const [path = '', fragment] = loginPath.split('#', 2)
  const query = new URLSearchParams({ [param]: safeReturnPath(pathname + search + hash) })
  return `${path}${path.includes('?') ? '&' : '?'}${query}${fragment === undefined ? '' : `#${fragment}`}`
}
