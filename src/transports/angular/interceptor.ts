import type { HttpEvent, HttpInterceptorFn } from '@angular/common/http'
import { inject, NgZone } from '@angular/core'
import { Observable } from 'rxjs'
import type { AuthHandle } from '../../core/auth.ts'
import { explainAngular, explainTransport } from '../explain.ts'
import { createTargetGuard } from '../origins.ts'
import { workerFetch } from '../worker-fetch.ts'
import { HttpBearerRequest } from './http-bearer-request.ts'
import type { AuthInterceptorOptions } from './options.ts'
import { sendByWorker } from './send-by-worker.ts'

/** See `AuthHooks.authInterceptor` of `authchart/angular`. */
export function createAuthInterceptor(
  injectAuth: () => AuthHandle,
  options: AuthInterceptorOptions = {},
): HttpInterceptorFn {
  explainTransport('authInterceptor', options)
  const targetOf = createTargetGuard('authInterceptor', options)

  return (request, next) => {
    const url = request.urlWithParams
    // A JSONP request is a script element, which has no headers.
    const isExempt = request.method === 'JSONP' || request.headers.has('Authorization')
    const target = isExempt ? undefined : targetOf(url)
    if (target === undefined || options.exclude?.(url)) {
      explainAngular(injectAuth, request, url, targetOf)
      return next(request)
    }
    const auth = injectAuth()
    const zone = inject(NgZone)
    const remote = workerFetch(auth, options)
    if (remote) return withinZone(zone, sendByWorker(remote, request))
    const sendHere = new Observable<HttpEvent<unknown>>((subscriber) => {
      const emit = (event: HttpEvent<unknown>) => subscriber.next(event)
      const bearer = new HttpBearerRequest(target, targetOf, request, next, options, emit)
      bearer.start(auth).then(
        ({ withheld, error }) => {
          for (const event of withheld) subscriber.next(event)
          if (error) subscriber.error(error)
          else subscriber.complete()
        },
        (error) => subscriber.error(error),
      )
      return () => bearer.cancel()
    })
    return withinZone(zone, sendHere)
  }
}

/** Emits in the zone of the subscriber. After an `await`, code runs outside of it, and Angular detects no changes. */
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
