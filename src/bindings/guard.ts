/**
 * A guard for routes that works with any router.
 *
 * @module
 */
import { safeReturnPath } from './return-path.ts'
import type { AnyAuth } from './snapshot.ts'

export { safeReturnPath } from './return-path.ts'

/** Options of `requireSession`. */
export interface RequireSessionOptions {
  /** The target of the navigation: a URL, or a path with its query and fragment. */
  readonly url: string | URL
  /** The path of the sign-in page, as it is in the end: after redirects that add a slash or a language. */
  readonly loginPath: string
  /** The name of the query parameter with the return path. Default: `'returnTo'`. */
  readonly param?: string
}

/**
 * Waits until the stored session has been read, and returns where to redirect a user who is not signed in.
 *
 * @param auth the session
 * @param options the target, the sign-in page and the query parameter
 * @returns the sign-in page with the return path in its query; `undefined` if there is a session, and if the target is the
 * sign-in page itself
 * @throws DisposedError if the auth is disposed of
 * @throws TypeError if `loginPath` has neither a path nor a query nor the path of a hash router: every page would be that page
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
  if (/^(?:#(?!\/)|$)/.test(loginPath))
    throw new TypeError('requireSession: loginPath must be the path of a page, such as /login.')
  await auth.ready()
  if (auth.session) return undefined
  const target = new URL(url, 'http://localhost')
  if (isWithin(target, new URL(loginPath, target))) return undefined
  const { pathname, search, hash } = target
  const [path = '', fragment] = loginPath.split('#', 2)
  const query = new URLSearchParams({ [param]: safeReturnPath(pathname + search + hash) })
  return `${path}${path.includes('?') ? '&' : '?'}${query}${fragment === undefined ? '' : `#${fragment}`}`
}

/** How a session ended. */
export interface SessionEnd {
  /** Whether it expired. Otherwise the user signed out, or they or another user signed in, here or in another tab. */
  readonly expired: boolean
}

/**
 * Calls back each time a session has ended. A guard runs only when a route is entered, so let the router run its guards again.
 *
 * @param auth the session
 * @param listener called once the chart has settled, so that a guard finds no session, or the next one
 * @returns removes the listener
 *
 * @example
 * ```ts
 * onSessionEnd(auth, () => router.revalidate())
 * ```
 */
export function onSessionEnd(
  auth: Pick<AnyAuth, 'actor' | 'session'>,
  listener: (end: SessionEnd) => void,
): () => void {
  let epoch = auth.session?.epoch
  const subscription = auth.actor.subscribe(({ context }) => {
    const before = epoch
    epoch = auth.session?.epoch
    if (before !== undefined && before !== epoch) listener({ expired: context.status === 'expired' })
  })
  return () => subscription.unsubscribe()
}

/** Whether the target is that page: in front of the sign-in page, the guard would redirect without end. */
function isWithin(target: URL, page: URL): boolean {
  const isSamePath = target.origin === page.origin && plainPath(target.pathname) === plainPath(page.pathname)
  // Some apps distinguish their pages by the query or the fragment: `/?page=login`, `/#/login`.
  const hasQuery = [...page.searchParams].every(([name, value]) =>
    target.searchParams.getAll(name).includes(value),
  )
  const [pagePath = '', targetPath = ''] = [page, target].map(({ hash }) => plainPath(hash.split('?', 1)[0]))
  return isSamePath && hasQuery && (!pagePath.startsWith('#/') || pagePath === targetPath)
}

const plainPath = (path = '') => path.replace(/\/$/, '')
