import { HttpErrorResponse, type HttpEvent, HttpEventType, type HttpResponseBase } from '@angular/common/http'
import { type Observable, Subscription } from 'rxjs'

/** `HttpClient` gives refusals as errors: the replay reads both alike. */
export interface Answer {
  /** `undefined` where an interceptor further down has ended the request without any answer. */
  readonly end: HttpResponseBase | undefined
  readonly error: HttpErrorResponse | undefined
  /** What is not told before it is clear that this answer is the caller's. */
  readonly events: readonly HttpEvent<unknown>[]
}

export interface AnswerOptions {
  /** Whoever aborts ends the sending. */
  readonly signals: readonly AbortSignal[]
  /** Whether what comes with an answer is kept back, whatever its status. */
  readonly keepsAll: boolean
  /** Is given what is not kept. */
  readonly pass: (event: HttpEvent<unknown>) => void
}

/** Waits for the end of a sending. Once it ends, or is left, nobody listens to it any more. */
export function answerOf(
  events$: Observable<HttpEvent<unknown>>,
  { signals, keepsAll, pass }: AnswerOptions,
): Promise<Answer> {
  const sending = new Subscription()
  return new Promise<Answer>((resolve, reject) => {
    for (const signal of signals) {
      const leave = () => {
        sending.unsubscribe()
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave)
      sending.add(() => signal.removeEventListener('abort', leave))
    }
    const events: HttpEvent<unknown>[] = []
    let keeps = keepsAll
    let end: HttpResponseBase | undefined
    const sent = events$.subscribe({
      next: (event) => {
        if (event.type === HttpEventType.ResponseHeader) keeps ||= isRefusal(event.status)
        if (event.type === HttpEventType.Response) end = event
        if (keeps && isOfAnswer(event)) events.push(event)
        else pass(event)
      },
      error: (error) => {
        // Without a status there is no answer.
        if (error instanceof HttpErrorResponse && error.status > 0) resolve({ end: error, error, events })
        else reject(error)
      },
      complete: () => resolve({ end, error: undefined, events }),
    })
    // An event may be the reason to leave, while `subscribe` is still at it.
    sending.add(sent)
  }).finally(() => sending.unsubscribe())
}

/** For the caller it is one request, however often it is sent. */
export function tellingOnce(tell: (event: HttpEvent<unknown>) => void): (event: HttpEvent<unknown>) => void {
  let told = false
  return (event) => {
    if (event.type === HttpEventType.Sent && told) return
    told ||= event.type === HttpEventType.Sent
    tell(event)
  }
}

/** As its backends tell that they had no time left. */
export const timeoutError = (url: string) =>
  new HttpErrorResponse({
    error: new DOMException('Request timed out', 'TimeoutError'),
    status: 0,
    statusText: 'Request timeout',
    url,
  })

export const isRefusal = (status: number) => status === 401 || status === 403

const isOfAnswer = ({ type }: HttpEvent<unknown>) =>
  type === HttpEventType.ResponseHeader ||
  type === HttpEventType.DownloadProgress ||
  type === HttpEventType.Response
