import {
  HttpErrorResponse,
  type HttpEvent,
  HttpEventType,
  HttpHeaderResponse,
  HttpHeaders,
  type HttpRequest,
  HttpResponse,
} from '@angular/common/http'
import { Observable } from 'rxjs'
import { isAuthError } from '../../core/errors.ts'

/** A prefix that keeps JSON from being executed as a script. `HttpClient` removes it. */
const XSSI_PREFIX = /^\)\]\}',?\n/

/**
 * Sends a request through the worker that holds the session. It emits the same events as the backends of `HttpClient`, except
 * for progress: there, it reports only the response headers.
 */
export function sendByWorker(
  send: typeof fetch,
  request: HttpRequest<unknown>,
): Observable<HttpEvent<unknown>> {
  return new Observable((subscriber) => {
    const controller = new AbortController()
    const { signal } = controller
    const url = request.urlWithParams

    async function execute(): Promise<HttpResponse<unknown>> {
      const sent = send(url, { ...initOf(request), signal })
      subscriber.next({ type: HttpEventType.Sent })
      const response = await sent
      const { status, statusText } = response
      const about = {
        status,
        statusText,
        url: response.url || url,
        headers: new HttpHeaders(response.headers),
      }
      if (request.reportProgress) subscriber.next(new HttpHeaderResponse(about))
      const body = await read(response, request.responseType).catch((error: unknown) => {
        throw new HttpErrorResponse({ ...about, error })
      })
      if (response.ok) return new HttpResponse({ ...about, body })
      throw new HttpErrorResponse({ ...about, error: body })
    }

    const onTimeout = () => controller.abort(new DOMException('Request timed out', 'TimeoutError'))
    const timer = request.timeout ? setTimeout(onTimeout, request.timeout) : undefined
    execute().then(
      (response) => {
        subscriber.next(response)
        subscriber.complete()
      },
      (error) => {
        const isOwn = isAuthError(error) || error instanceof HttpErrorResponse
        subscriber.error(isOwn ? error : new HttpErrorResponse({ error, status: 0, url }))
      },
    )
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  })
}

function initOf(request: HttpRequest<unknown>): RequestInit {
  const { method, credentials, withCredentials } = request
  const headers = new Headers()
  for (const name of request.headers.keys()) {
    headers.set(name, (request.headers.getAll(name) ?? []).join(','))
  }
  if (!headers.has('accept')) headers.set('accept', 'application/json, text/plain, */*')
  const contentType = request.detectContentTypeHeader()
  if (contentType !== null && !headers.has('content-type')) headers.set('content-type', contentType)
  return {
    method,
    headers,
    body: request.serializeBody() as BodyInit | null,
    ...optionsOf(request as unknown as Partial<Record<string, unknown>>),
    ...(withCredentials ? { credentials: 'include' } : credentials && { credentials }),
  }
}

/** Options of `fetch` that newer versions of Angular have. */
const OPTIONS = [
  'cache',
  'integrity',
  'keepalive',
  'mode',
  'priority',
  'redirect',
  'referrer',
  'referrerPolicy',
]

const optionsOf = (request: Partial<Record<string, unknown>>): RequestInit =>
  Object.fromEntries(OPTIONS.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]])))

async function read(response: Response, type: HttpRequest<unknown>['responseType']): Promise<unknown> {
  if (!response.body) return null
  if (type === 'blob') return response.blob()
  if (type === 'arraybuffer') return response.arrayBuffer()
  const text = await response.text()
  if (type === 'text') return text
  const json = text.replace(XSSI_PREFIX, '')
  if (json === '') return null
  try {
    return JSON.parse(json)
  } catch (error) {
    // An error response may be plain text, although JSON was requested.
    if (!response.ok) return text
    throw error
  }
}
