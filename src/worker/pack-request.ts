import { isOneShot } from '../transports/body.ts'
import type { PackedRequest } from './protocol.ts'

/** The whole of a body, soon, or the stream it comes from. */
type Body = ReadableStream | Promise<ArrayBuffer | Blob> | undefined

/**
 * Takes a request down as it is at this moment, for its owner may change it while it waits. A form is encoded here, once,
 * so that its boundary is the same in every sending.
 *
 * @throws TypeError where `fetch` would
 */
export function packRequest(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): { readonly request: PackedRequest; readonly body: Body } {
  const own = isRequest(init) ? undefined : init?.body
  // A stream goes on as it is, also where this browser cannot make a request of one.
  const streams = own instanceof ReadableStream
  const { body: _, ...rest } = init ?? {}
  const request = new Request(input, streams ? rest : init)
  const { url, method, headers, mode, credentials, cache, redirect } = request
  const { integrity, keepalive, referrer, referrerPolicy } = request
  return {
    request: {
      url,
      method,
      headers: [...headers],
      mode,
      credentials,
      cache,
      redirect,
      integrity,
      keepalive,
      referrerPolicy,
      ...(referrer !== 'about:client' && { referrer }),
    },
    body: streams ? own : bodyOf(request, own),
  }
}

function bodyOf(request: Request, own: BodyInit | null | undefined): Body {
  // Some browsers do not show the body of a request, only what was given for one.
  if (/^(GET|HEAD)$/.test(request.method) || request.body === null) return undefined
  if (own && isOneShot(own) && request.body) return request.body
  // Browsers keep large files out of memory, as long as they are blobs.
  const isLarge = own instanceof Blob || own instanceof FormData || !own
  return isLarge ? request.blob() : request.arrayBuffer()
}

export const isRequest = (input: unknown): input is Request =>
  typeof Request === 'function' && input instanceof Request
