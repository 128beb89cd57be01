import { HttpErrorResponse, type HttpEvent, HttpEventType, type HttpResponseBase } from '@angular/common/http'
import { type Observable, Subscription } from 'rxjs'

/** The outcome of one attempt. `HttpClient` reports error statuses as errors; the replay handles both in the same way. */
export interface HttpOutcome {
  /** `undefined` if a later interceptor has completed the request without a response. */
  readonly response: HttpResponseBase | undefined
  readonly error: HttpErrorResponse | undefined
  /** Events that are withheld until it is clear that this response goes to the caller. */
  readonly withheld: readonly HttpEvent<unknown>[]
}

export interface AttemptOptions {
  /** Each of these signals aborts the attempt. */
  readonly signals: readonly AbortSignal[]
  /** Whether all events of the response are withheld, whatever its status. */
  readonly withholdsAll: boolean
  /** Receives the events that are not withheld. */
  readonly emit: (event: HttpEvent<unknown>) => void
}

/** Subscribes to one attempt and waits for its end. It unsubscribes when the attempt ends or is aborted. */
export function receiveResponse(
  events$: Observable<HttpEvent<unknown>>,
  { signals, withholdsAll, emit }: AttemptOptions,
): Promise<HttpOutcome> {
  const attempt = new Subscription()
  return new Promise<HttpOutcome>((resolve, reject) => {
    for (const signal of signals) {
      const abort = () => {
        attempt.unsubscribe()
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort)
      attempt.add(() => signal.removeEventListener('abort', abort))
    }
    const withheld: HttpEvent<unknown>[] = []
    let withholds = withholdsAll
    let response: HttpResponseBase | undefined
    const sent = events$.subscribe({
      next: (event) => {
        if (event.type === HttpEventType.ResponseHeader) withholds ||= mayBeChallenge(event.status)
        if (event.type === HttpEventType.Response) response = event
        if (withholds && belongsToResponse(event)) withheld.push(event)
        else emit(event)
      },
      error: (error) => {
        // An error without a status has no response.
        if (error instanceof HttpErrorResponse && error.status > 0)
          resolve({ response: error, error, withheld })
        else reject(error)
      },
      complete: () => resolve({ response, error: undefined, withheld }),
    })
    // A synchronous event may abort the attempt before `subscribe` returns. `add` then unsubscribes at once.
    attempt.add(sent)
  }).finally(() => attempt.unsubscribe())
}

/** Emits `Sent` only once: the caller sees one request, however often it is sent. */
export function emitSentOnce(emit: (event: HttpEvent<unknown>) => void): (event: HttpEvent<unknown>) => void {
  let hasEmitted = false
  return (event) => {
    if (event.type === HttpEventType.Sent && hasEmitted) return
    hasEmitted ||= event.type === HttpEventType.Sent
    emit(event)
  }
}

/** The error with which the backends of `HttpClient` report a timeout. */
export const timeoutError = (url: string) =>
  new HttpErrorResponse({
    error: new DOMException('Request timed out', 'TimeoutError'),
    status: 0,
    statusText: 'Request timeout',
    url,
  })

export const mayBeChallenge = (status: number) => status === 401 || status === 403

const belongsToResponse = ({ type }: HttpEvent<unknown>) =>
  type === HttpEventType.ResponseHeader ||
  type === HttpEventType.DownloadProgress ||
  type === HttpEventType.Response
