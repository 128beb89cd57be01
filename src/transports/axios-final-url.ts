/** Where the answer came from after redirects, as each adapter tells it. */
export function finalURL(response: { readonly request?: unknown }): string | undefined {
  const request = response.request as { responseURL?: string; res?: { responseUrl?: string } } | undefined
  return request?.res?.responseUrl || request?.responseURL || (request && finalURLs.get(request))
}

type Fetch = typeof fetch | undefined
const finalURLs = new WeakMap<object, string>()
const tellingFetches = new WeakMap<typeof fetch, typeof fetch>()

/** axios's fetch adapter keeps to itself where an answer came from, so its `fetch` tells; one for each, for axios keeps them. */
export function telling(own: Fetch): Fetch {
  let tells = own && tellingFetches.get(own)
  if (own && !tells) {
    tells = async (input, init) => {
      const response = await own(input, init)
      if (typeof input === 'object') finalURLs.set(input, response.url)
      return response
    }
    tellingFetches.set(own, tells)
  }
  return tells
}
