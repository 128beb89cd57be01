import type { HttpEvent, HttpInterceptorFn } from '@angular/common/http'
import { inject, NgZone } from '@angular/core'
import { Observable } from 'rxjs'
import { fetchElsewhere } from '../../transports/elsewhere.ts'
import { createOriginGuard } from '../../transports/origins.ts'
import type { AnyAuth } from '../snapshot.ts'
import { HttpSending } from './http-sending.ts'
import type { AuthInterceptorOptions } from './options.ts'
import { sendElsewhere } from './send-elsewhere.ts'

/** See `AuthContext.authInterceptor`. */
export function createAuthInterceptor(
  injectAuth: () => AnyAuth,
  options: AuthInterceptorOptions = {},
): HttpInterceptorFn {
  const allowed = createOriginGuard('authInterceptor', options)

  return (request, next) => {
    const url = request.urlWithParams
    // JSONP is a script element, which has no headers.
    const goesAsItIs = request.method === 'JSONP' || request.headers.has('Authorization')
    if (goesAsItIs || !allowed(url) || options.exclude?.(url)) return next(request)
    const auth = injectAuth()
    const zone = inject(NgZone)
    const elsewhere = fetchElsewhere(auth, options)
    if (elsewhere) return withinZone(zone, sendElsewhere(elsewhere, request))
    const sendHere = new Observable<HttpEvent<unknown>>((subscriber) => {
      const sending = new HttpSending(request, next, options, (event) => subscriber.next(event))
      sending.start(auth).then(
        ({ events, error }) => {
          for (const event of events) subscriber.next(event)
          if (error) subscriber.error(error)
          else subscriber.complete()
        },
        (error) => subscriber.error(error),
      )
      return () => sending.cancel()
    })
    return withinZone(zone, sendHere)
  }
}

/** What was awaited goes on outside of every zone, and there nobody would see that something has changed. */
function withinZone<T>(zone: NgZone, source: Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    if (!NgZone.isInAngularZone()) return source.subscribe(subscriber)
    return source.subscribe({
      next: (value) => zone.run(() => subscriber.next(value)),
      error: (error) => zone.run(() => subscriber.error(error)),
      complete: () => zone.run(() => subscriber.complete()),
    })
  })
}
