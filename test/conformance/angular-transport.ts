// Angular's own packages are published half compiled; this compiles the rest of them here.
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

/** What an application provides, without an application: there is no document here. */
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

/** `HttpClient` over `fetch`, with the session under it. */
export const createHttpClient = (auth: AnyAuth, options: AuthInterceptorOptions): HttpClient =>
  createInjector(
    provideAuth(auth),
    provideHttpClient(withFetch(), withInterceptors([authInterceptor(options)])),
  ).get(HttpClient)

/** Sends as `HttpClient` does; a caller's signal unsubscribes, which is how it is told to stop. */
export const sendBy =
  (http: HttpClient) =>
  (url: string, { method = 'GET', headers = {}, body, signal, timeout, own }: RequestInitLike) =>
    new Promise<HttpResponseBase & { readonly body?: unknown }>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      let subscription: Subscription | undefined
      const leave = () => {
        subscription?.unsubscribe()
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', leave)
      subscription = http
        .request(method, url, {
          observe: 'response',
          headers: { ...headers },
          ...(body !== undefined && { body }),
          ...(timeout !== undefined && { timeout }),
          ...own,
        })
        .subscribe({ next: resolve, error: reject })
      subscription.add(() => signal?.removeEventListener('abort', leave))
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
