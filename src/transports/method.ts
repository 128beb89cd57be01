/** Whether a request with this method may be sent again without asking (RFC 9110 §9.2.1). */
export const isSafeMethod = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/i.test(method)

/** Names an endpoint: the method, and the URL without its query and fragment. */
export const endpointKey = (method: string, url: string): string =>
  `${method.toUpperCase()} ${url.split(/[?#]/, 1)[0]}`

/** What is known of the end of redirects. */
interface RedirectEnd {
  readonly url: string
  /** The method, if it is known. */
  readonly method?: string | undefined
}

/**
 * Whether a request that was redirected may have taken effect before the answer at the end: a POST that was accepted can lead to a
 * GET that is refused (RFC 9110 §15.4). The effect of an idempotent method is the same if it is sent again (RFC 9110 §9.2.2).
 *
 * Not every platform tells whether a POST became a GET. If only a slash at the end of the path differs, a router has redirected,
 * and nothing has happened.
 */
export function mayHaveActed(method: string, url: string, end: RedirectEnd): boolean {
  if (/^(GET|HEAD|OPTIONS|TRACE|PUT|DELETE)$/i.test(method)) return false
  if (end.method !== undefined) return end.method.toUpperCase() !== method.toUpperCase()
  const [from, to] = [pathOf(url), pathOf(end.url)]
  return from !== `${to}/` && to !== `${from}/`
}

/** Whether an answer came from another path than the request was sent to: what some platforms show of a redirect. */
export const cameFromElsewhere = (url: string, end: string): boolean =>
  /^https?:/i.test(end) && pathOf(url) !== pathOf(end)

function pathOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
