/** Whether a request with this method may be sent again without asking (RFC 9110 §9.2.1). */
export const isSafeMethod = (method: string): boolean => /^(GET|HEAD|OPTIONS)$/i.test(method)

/** Names an endpoint: the method, and the URL without its query and fragment. */
export const endpointKey = (method: string, url: string): string =>
  `${method.toUpperCase()} ${url.split(/[?#]/, 1)[0]}`

/**
 * Whether a request that was redirected may have taken effect before the answer at the end: a POST that was accepted can lead to a
 * GET that is refused (RFC 9110 §15.4). The effect of an idempotent method is the same if it is sent again (RFC 9110 §9.2.2).
 *
 * @param end the method at the end of the redirects, if it is known: the same one has been refused on its whole way
 */
export const mayHaveActed = (method: string, end: string | undefined): boolean =>
  !/^(GET|HEAD|OPTIONS|TRACE|PUT|DELETE)$/i.test(method) && end?.toUpperCase() !== method.toUpperCase()

/** Whether an answer came from another path than the request was sent to: what can be seen of a redirect. */
export const cameFromElsewhere = (url: string, end: string): boolean =>
  /^https?:/i.test(end) && pathOf(url) !== pathOf(end)

function pathOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}
