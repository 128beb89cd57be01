import { encodedForm, isOneShot } from '../transports/body.ts'
import type { PackedRequest } from './protocol.ts'

/** A promise of the complete body, or the stream to read it from. */
type Body = ReadableStream | Promise<ArrayBuffer | Blob> | undefined

/**
 * Copies a request at the moment of the call, because the caller may change it while it waits. A form is encoded here, once,
 * so that its boundary is the same each time it is sent.
 *
 * @throws TypeError in the same cases as `fetch`
 */
export function packRequest(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
): { readonly request: PackedRequest & { readonly method: string }; readonly body: Body } {
  const given = isRequest(init) ? undefined : init?.body
  // WebKit cannot read a form with files as the body of a `Request`.
  const form = given instanceof FormData ? (encodedForm(given).body as Blob) : undefined
  const own = form ?? given
  // A stream is passed on as it is: not every browser can create a `Request` from one.
  const streams = own instanceof ReadableStream
  const { body: _, ...rest } = init ?? {}
  const request = new Request(input, streams ? rest : form ? { ...rest, body: form } : init)
  const { url, method, headers, mode, credentials, cache, redirect } = request
  const { integrity, keepalive, referrer, referrerPolicy } = request
  return {
    request: {
      url,
      method,
      headers: [...headers],
      // No script can make a request for a navigation.
      mode: mode as Exclude<RequestMode, 'navigate'>,
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
  // Some browsers do not expose `Request.body`, so the body of `init` is used as well.
  if (/^(GET|HEAD)$/.test(request.method) || request.body === null) return undefined
  if (own && isOneShot(own) && request.body) return request.body
  // Browsers keep large files out of memory as long as they are blobs.
  const isLarge = own instanceof Blob || !own
  return isLarge ? request.blob() : request.arrayBuffer()
}

export const isRequest = (input: unknown): input is Request =>
  typeof Request === 'function' && input instanceof Request
