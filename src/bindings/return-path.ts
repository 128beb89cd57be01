/** Never asked; it stands for the app's own origin. */
const HERE = 'http://here.invalid'
/** How often escapes of escapes are undone, before an address is not worth its trouble. */
const DEPTH = 5

/** Two slashes, of either kind, are the beginning of another host. */
const OF_THIS_HOST = /^\/(?![/\\])/
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop some of them, and join what stood beside them.
const TRICKY = /[\u0000-\u001f\u007f\\]/
const ASCII_ESCAPE = /%[0-7][0-9a-f]/gi

/**
 * A path to go to after a sign-in, from an address that anybody may have written: it stays within the app's own origin, also
 * where somebody on the way undoes its escapes.
 *
 * @param value what the query says, of whatever type
 * @param fallback where to go instead. Default: `'/'`
 * @returns the path with its query and fragment, as a browser would read it; else the fallback
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
    const { pathname, search, hash } = new URL(value, HERE)
    // A path that cannot be decoded would throw later, in the router.
    decodeURIComponent(pathname)
    return staysHere(value, DEPTH) ? pathname + search + hash : fallback
  } catch {
    return fallback
  }
}

function staysHere(address: string, depth: number): boolean {
  const [path = ''] = address.split(/[?#]/, 1)
  const { origin, pathname } = new URL(address, HERE)
  if (origin !== HERE || !OF_THIS_HOST.test(path) || TRICKY.test(path)) return false
  const decoded = pathname.replace(ASCII_ESCAPE, decodeURIComponent)
  return decoded === path || (depth > 0 && staysHere(decoded, depth - 1))
}
