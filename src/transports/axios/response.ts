import type { AxiosResponse, RawAxiosResponseHeaders } from 'axios'
import { cameFromElsewhere } from '../method.ts'

/** The absolute URL that a response came from after redirects, as far as the adapter reports it. */
export function finalURL(response: { readonly request?: unknown }): string | undefined {
  const request = response.request as
    | { responseURL?: string; res?: { responseUrl?: string }; socketPath?: string }
    | undefined
  const received = request && RECEIVED.get(request)
  // Not `=== true`: a polyfill may not report it.
  if (received) return received.redirected === false ? undefined : received.url
  // Over a Unix socket, there is no host to report.
  if (request?.socketPath) return undefined
  const url = request?.res?.responseUrl || request?.responseURL
  // A mock of an adapter repeats the path.
  return url && /^https?:/.test(url) ? url : undefined
}

/** The absolute URL of a response that a redirect led to, as far as the adapter reports it. */
export function redirectedURL(response: { readonly request?: unknown }, url: string): string | undefined {
  const end = finalURL(response)
  // The fetch adapter knows. Of others, only another path shows it.
  const isKnown = RECEIVED.get(Object(response.request))?.redirected === true
  return end !== undefined && (isKnown || cameFromElsewhere(url, end)) ? end : undefined
}

/** A response's header, whatever class its headers are of. */
export function headerOf(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined
  for (const key of Object.keys(headers)) {
    const value = (headers as Record<string, unknown>)[key]
    if (key.toLowerCase() === name && value !== undefined && value !== null) return String(value)
  }
  return headers instanceof Headers ? (headers.get(name) ?? undefined) : undefined
}

/**
 * The response behind an error. Adapters reject because of its status, or because they cannot read it: then only the request
 * knows the status.
 */
export function responseOf(error: unknown): AxiosResponse | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { response, request, code } = error as {
    response?: AxiosResponse
    request?: ClientRequest
    code?: string
  }
  if (typeof response?.status === 'number') return response
  if (!request || ENDED.test(code ?? '')) return undefined
  const received = RECEIVED.get(request)
  const status = received?.status ?? request.res?.statusCode
  if (status !== 401) return undefined
  const headers = (received?.headers ?? request.res?.headers) as RawAxiosResponseHeaders
  return { status, headers, request } as AxiosResponse
}

/** The codes of requests that the caller has aborted, or that took too long. */
const ENDED = /^(ERR_CANCELED|ECONNABORTED|ETIMEDOUT)$/

/** A request of Node's `http` module. */
interface ClientRequest {
  readonly res?: { readonly statusCode?: number; readonly headers?: unknown }
}

type Fetch = typeof fetch
const RECEIVED = new WeakMap<object, Pick<Response, 'status' | 'headers' | 'url' | 'redirected'>>()
const recordingFetches = new WeakMap<Fetch, Fetch>()

/**
 * Wraps the `fetch` of axios's fetch adapter, which reports neither where a redirect led nor the status of a response that it
 * cannot read. There is one wrapper for each `fetch`, because axios caches adapters by their `fetch`.
 */
export function recordResponses(own: Fetch): Fetch {
  let recording = recordingFetches.get(own)
  if (!recording) {
    recording = (input, init) =>
      own(input, init).then((response) => {
        const { status, headers, url, redirected } = response
        // A refusal may fail to be read. Of other responses, only redirects matter.
        if (typeof input === 'object' && (status === 401 || redirected !== false))
          RECEIVED.set(input, { status, headers, url, redirected })
        return response
      })
    recordingFetches.set(own, recording)
  }
  return recording
}
