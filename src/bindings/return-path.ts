/** A placeholder for the app's own origin. No request is sent to it. */
const APP_ORIGIN = 'http://here.invalid'
/** How many levels of nested escapes are decoded before an address is rejected. */
const MAX_DECODES = 5

/** Matches a path on the same host: two slashes of either kind would start another host. */
const SAME_HOST = /^\/(?![/\\])/
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers remove some, which joins their neighbors.
const UNSAFE = /[\u0000-\u001f\u007f\\]/
const ASCII_ESCAPE = /%[0-7][0-9a-f]/gi

/**
 * Returns a safe path to navigate to after a sign-in, from an address that an attacker may have written. The path stays on the
 * app's own origin, even if a server or router decodes its escapes again.
 *
 * @param value the untrusted value from the query, of any type
 * @param fallback returned if the value is unsafe. Default: `'/'`
 * @returns the path with its query and fragment, normalized as in a browser; otherwise the fallback
 *
 * @example
 * ```ts
 * navigate(safeReturnPath(new URL(location.href).searchParams.get('returnTo')))
 * ```
 *
 * @see RFC 9700 §4.11 on open redirectors
 */
export function safeReturnPath(value: unknown, fallback = '/'): string {
  if (typeof value !== 'string') return fallback
  try {
    const { pathname, search, hash } = new URL(value, APP_ORIGIN)
    // Reject a path that cannot be decoded: the router would throw on it later.
    decodeURIComponent(pathname)
    return staysOnOrigin(value, MAX_DECODES) ? pathname + search + hash : fallback
  } catch {
    return fallback
  }
}

function staysOnOrigin(address: string, depth: number): boolean {
  const [path = ''] = address.split(/[?#]/, 1)
  const { origin, pathname } = new URL(address, APP_ORIGIN)
  if (origin !== APP_ORIGIN || !SAME_HOST.test(path) || UNSAFE.test(path)) return false
  const decoded = pathname.replace(ASCII_ESCAPE, decodeURIComponent)
  return decoded === path || (depth > 0 && staysOnOrigin(decoded, depth - 1))
}
