/** The scenarios that run inside the page: bundled, and called by name from the tests. */
// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import {
  HttpClient,
  HttpErrorResponse,
  HttpEventType,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http'
import { provideZonelessChangeDetection } from '@angular/core'
import { createApplication } from '@angular/platform-browser'
import { createAuth, type TokenResponse } from 'authchart'
import { authInterceptor, provideAuth } from 'authchart/angular'
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'

export type Backend = 'XMLHttpRequest' | 'fetch'

/** Creates an `HttpClient` in its own application, with a session that starts with these tokens. */
async function start(backend: Backend, server: string, initialTokens: TokenResponse) {
  const auth = createAuth({
    initialTokens,
    refresh: async ({ refreshToken = '', signal }) => {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
      const response = await fetch(`${server}/token`, { method: 'POST', body, signal })
      return response.ok ? response.json() : Promise.reject(response)
    },
  })
  const interceptors = withInterceptors([authInterceptor({ origins: [server] })])
  const application = await createApplication({
    providers: [
      provideZonelessChangeDetection(),
      provideAuth(() => auth),
      backend === 'fetch' ? provideHttpClient(withFetch(), interceptors) : provideHttpClient(interceptors),
    ],
  })
  return { auth, http: application.injector.get(HttpClient), application }
}

const echo = { observe: 'response', responseType: 'text' } as const

export const scenarios = {
  /** Sends many requests at once, and returns their statuses. */
  async parallel(backend: Backend, server: string, tokens: TokenResponse, times: number) {
    const { http, application } = await start(backend, server, tokens)
    const answers = await Promise.all(
      Array.from({ length: times }, (_, i) => firstValueFrom(http.get(`${server}/api/item-${i}`, echo))),
    )
    application.destroy()
    return answers.map(({ status }) => status)
  },

  /** Sends a form that the server rejects once. */
  async form(backend: Backend, server: string, tokens: TokenResponse) {
    const { http, application } = await start(backend, server, tokens)
    const form = new FormData()
    form.set('name', 'ada')
    form.set('file', new Blob([new Uint8Array([0, 255, 13, 10, 128])]), 'bytes.bin')
    const { status } = await firstValueFrom(http.post(`${server}/api/form`, form, echo))
    application.destroy()
    return status
  },

  /** Returns the event types of a request that is rejected once, without consecutive progress events. */
  async events(backend: Backend, server: string, tokens: TokenResponse) {
    const { http, application } = await start(backend, server, tokens)
    const request = http.post(`${server}/api/echo`, 'text', { observe: 'events', reportProgress: true })
    const kinds = (await lastValueFrom(request.pipe(toArray()))).map(({ type }) => HttpEventType[type])
    application.destroy()
    return kinds.filter((kind, index) => kind !== kinds[index - 1])
  },

  /** Unsubscribes while a request is held, and returns the outcome of another one. */
  async leave(backend: Backend, server: string, tokens: TokenResponse) {
    const { auth, http, application } = await start(backend, server, tokens)
    const held = new Promise<void>((resolve) => auth.on('requestHeld', () => resolve()))
    const leaves = http.get(`${server}/api/leaves`).subscribe()
    const stays = firstValueFrom(http.get(`${server}/api/stays`, echo))
    await held
    leaves.unsubscribe()
    const stateThen = auth.state
    const { status } = await stays
    application.destroy()
    return { stateThen, status }
  },

  /** Sends a request with a timeout shorter than the wait for a token. */
  async timeout(backend: Backend, server: string, tokens: TokenResponse) {
    const { http, application } = await start(backend, server, tokens)
    const error = await firstValueFrom(http.get(`${server}/api/late`, { timeout: 50 })).catch(
      (error: unknown) => error,
    )
    application.destroy()
    return error instanceof HttpErrorResponse ? [error.status, error.error?.name] : String(error)
  },

  /** Sends to the page's own origin, which is allowed by default, and to another one. */
  async origins(backend: Backend, server: string, tokens: TokenResponse) {
    const { http, application } = await start(backend, server, tokens)
    const own = await firstValueFrom(http.get('/headers', { responseType: 'text' }))
    application.destroy()
    return own
  },

  /** Sends to the page's own origin by a relative URL. A base element comes while the request waits, and leads elsewhere. */
  async base(backend: Backend, server: string, tokens: TokenResponse) {
    const { auth, http, application } = await start(backend, server, tokens)
    const held = new Promise<void>((resolve) => auth.on('requestHeld', () => resolve()))
    const rejected = firstValueFrom(http.get(`${server}/api/echo`, echo))
    await held
    const answer = firstValueFrom(http.get('/headers', { responseType: 'text' }))
    document.head.insertAdjacentHTML('beforeend', `<base href="${server}/">`)
    await rejected
    const own = await answer
    application.destroy()
    return own
  },
}

Object.assign(globalThis, { scenarios })
