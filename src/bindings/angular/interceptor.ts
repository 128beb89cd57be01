import type { HttpInterceptorFn } from '@angular/common/http'
import { inject, NgZone } from '@angular/core'
import { Observable } from 'rxjs'
import { FETCH } from '../../core/auth.ts'
import { createOriginGuard } from '../../transports/origins.ts'
import type { AnyAuth } from '../snapshot.ts'
import { HttpSending } from './http-sending.ts'
import type { AuthInterceptorOptions } from './types.ts'

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
    if (auth[FETCH]) {
      throw new TypeError(
        'authInterceptor: this session lives in a worker, where HttpClient cannot send. Use createAuthFetch.',
      )
    }

    return new Observable((subscriber) => {
      // What was awaited goes on outside of every zone, and there nobody would see that something has changed.
      const inZone = NgZone.isInAngularZone()
      const tell = (what: () => void) => (inZone ? zone.run(what) : what())
      const sending = new HttpSending(request, next, options, (event) => tell(() => subscriber.next(event)))
      sending.start(auth).then(
        ({ events, error }) =>
          tell(() => {
            for (const event of events) subscriber.next(event)
            if (error) subscriber.error(error)
            else subscriber.complete()
          }),
        (error) => tell(() => subscriber.error(error)),
      )
      return () => sending.cancel()
    })
  }
}
