// Angular's packages are published partially compiled. This import finishes the compilation here.
import '@angular/compiler'
import {
  HttpClient,
  HttpErrorResponse,
  type HttpResponseBase,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http'
import {
  createEnvironmentInjector,
  type EnvironmentInjector,
  type EnvironmentProviders,
  Injector,
  PLATFORM_ID,
  type Provider,
  provideZonelessChangeDetection,
  ɵINJECTOR_SCOPE,
} from '@angular/core'
import type { Subscription } from 'rxjs'
import { type AuthInterceptorOptions, authInterceptor, provideAuth } from '../../src/bindings/angular.ts'
import type { AnyAuth } from '../../src/bindings/snapshot.ts'
import type { Answer, Client, RequestInitLike, Transport } from './transports.ts'

/** An injector with what an Angular application provides. No application runs, because the document is missing. */
export const createInjector = (...providers: (Provider | EnvironmentProviders)[]): EnvironmentInjector =>
  createEnvironmentInjector(
    [
      { provide: ɵINJECTOR_SCOPE, useValue: 'root' },
      { provide: PLATFORM_ID, useValue: 'browser' },
      provideZonelessChangeDetection(),
      ...providers,
    ],
    Injector.NULL as EnvironmentInjector,
  )

/** An `HttpClient` over `fetch`, with the interceptor of the session. */
export const createHttpClient = (auth: AnyAuth, options: AuthInterceptorOptions): HttpClient =>
  createInjector(
    provideAuth(auth),
    provideHttpClient(withFetch(), withInterceptors([authInterceptor(options)])),
  ).get(HttpClient)

/** Sends with `HttpClient`. The caller's signal unsubscribes, which is how `HttpClient` aborts a request. */
export const sendBy =
  (http: HttpClient) =>
  (url: string, { method = 'GET', headers = {}, body, signal, timeout, own }: RequestInitLike) =>
    new Promise<HttpResponseBase & { readonly body?: unknown }>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      let subscription: Subscription | undefined
      const abort = () => {
        subscription?.unsubscribe()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', abort)
      subscription = http
        .request(method, url, {
          observe: 'response',
          headers: { ...headers },
          ...(body !== undefined && { body }),
          ...(timeout !== undefined && { timeout }),
          ...own,
        })
        .subscribe({ next: resolve, error: reject })
      subscription.add(() => signal?.removeEventListener('abort', abort))
    })

const headersOf = ({ headers }: HttpResponseBase) =>
  new Headers(headers.keys().map((name) => [name, headers.get(name) ?? ''] as [string, string]))

const withMethods = (request: Client['request']): Client => ({
  request,
  get: (path, init) => request(path, { ...init, method: 'GET' }),
  post: (path, body, init) => request(path, { ...init, method: 'POST', body }),
})

export const angularTransport: Transport = {
  name: 'HttpClient',
  create(auth, { origin, defaults: _, bufferStreams: __, origins = [], ...options }) {
    const send = sendBy(createHttpClient(auth as AnyAuth, { ...options, origins: [origin, ...origins] }))
    return withMethods(async (path, init = {}): Promise<Answer> => {
      try {
        const response = await send(new URL(path, origin).href, init)
        return {
          status: response.status,
          json: response.body ?? undefined,
          givenAs: 'data',
          headers: headersOf(response),
        }
      } catch (error) {
        if (!(error instanceof HttpErrorResponse) || error.status === 0) throw error
        return {
          status: error.status,
          json: error.error,
          givenAs: 'HttpErrorResponse',
          headers: headersOf(error),
        }
      }
    })
  },
  givesRefusalsAs: 'HttpErrorResponse',
  isAbort: (error, reason) => error === reason,
  isTimeout: (error) =>
    error instanceof HttpErrorResponse &&
    error.error instanceof DOMException &&
    error.error.name === 'TimeoutError',
}
