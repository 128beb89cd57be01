/** A placeholder for the app's own origin. No request is sent to it. */
const APP_ORIGIN = 'http://here.invalid'

/** Matches a path on the same host: two slashes of either kind would start another host. */
const SAME_HOST = /^\/(?![/\\])/
// biome-ignore lint/suspicious/noControlCharactersInRegex: browsers remove some, which joins their neighbors.
const UNSAFE = /[\u0000-\u001f\u007f\\]/
/** A router that removes it moves what follows to the front. */
const DOT_SEGMENT = /\/\.\.?(?:[/?#]|$)/
const ASCII_ESCAPE = /^%[0-7][0-9a-f]$/i

/**
 * Returns a safe path to navigate to after a sign-in, from an address that an attacker may have written. The path stays on the
 * app's own origin, however often a server or router decodes its escapes again.
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
    const [given = ''] = value.split(/[?#]/, 1)
    if (!staysOnHost(given)) return fallback
    const { pathname, search, hash } = new URL(value, APP_ORIGIN)
    const decoded = decodeFully(pathname)
    // Decoding removes no slash, no backslash and no dot segment. So the last form shows what any form before it contains.
    // A path that cannot be decoded throws here, as the router would later. A bundler would remove a call without a use.
    const isSafe =
      staysOnHost(decodeURIComponent(pathname)) &&
      staysOnHost(decoded) &&
      !(decoded.includes('//') && DOT_SEGMENT.test(decoded))
    return isSafe ? pathname + search + hash : fallback
  } catch {
    return fallback
  }
}

const staysOnHost = (path: string) => SAME_HOST.test(path) && !UNSAFE.test(path)

/** Decodes the ASCII escapes until none is left, those that earlier ones result in included. Takes linear time. */
export function decodeFully(path: string): string {
  const decoded: string[] = []
  for (const char of path) {
    decoded.push(char)
    while (decoded.at(-3) === '%') {
      const triple = decoded.slice(-3).join('')
      if (!ASCII_ESCAPE.test(triple)) break
      decoded.splice(-3, 3, decodeURIComponent(triple))
    }
  }
  return decoded.join('')
}
