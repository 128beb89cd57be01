/** The URL that a response came from after redirects, as far as the adapter reports it. */
export function finalURL(response: { readonly request?: unknown }): string | undefined {
  const request = response.request as { responseURL?: string; res?: { responseUrl?: string } } | undefined
  return request?.res?.responseUrl || request?.responseURL || (request && redirectedTo.get(request))
}

type Fetch = typeof fetch
const redirectedTo = new WeakMap<object, string>()
const recordingFetches = new WeakMap<Fetch, Fetch>()

/**
 * Wraps the `fetch` of axios's fetch adapter so that `finalURL` knows where a redirect led: the adapter does not report it.
 * There is one wrapper for each `fetch`, because axios caches adapters by their `fetch`.
 */
export function recordFinalURLs(own: Fetch): Fetch {
  let recording = recordingFetches.get(own)
  if (!recording) {
    recording = (input, init) => {
      const record = (response: Response) => {
        // Not `=== true`: a polyfill may not report it.
        if (response.redirected !== false && typeof input === 'object') redirectedTo.set(input, response.url)
        return response
      }
      return own(input, init).then(record)
    }
    recordingFetches.set(own, recording)
  }
  return recording
}
