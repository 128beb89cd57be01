// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import {
  HttpClient,
  HttpErrorResponse,
  type HttpHandlerFn,
  type HttpRequest,
  HttpResponse,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http'
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing'
import { NgZone, ɵNoopNgZone } from '@angular/core'
import { EMPTY, firstValueFrom, from, lastValueFrom, of, retry, switchMap } from 'rxjs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { authInterceptor, provideAuth } from '../../src/bindings/angular.ts'
import { WORKER_FETCH } from '../../src/core/auth.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import { createHttpClient, createInjector } from '../conformance/angular-transport.ts'
import { outcomes, setUp } from '../conformance/harness.ts'
import { createHarness } from '../core/auth-setup.ts'
import { closeGate, deferred, startOrigin, to } from '../transports/support.ts'

/** A path that always responds with a 403. */
const REFUSED = { '/api/never': { handler: () => Response.json({ error: 'never' }, { status: 403 }) } }

describe('errors of HttpClient requests', () => {
  it('are HttpErrorResponses if they come from the server', async () => {
    const { url, signedIn } = await setUp({
      routes: { '/api/broken': { handler: () => Response.json('broken', { status: 500 }) } },
    })
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/broken`))])
    expect(error).toBeInstanceOf(HttpErrorResponse)
    expect(error).toMatchObject({ status: 500, error: 'broken' })
  })

  it('are HttpErrorResponses without a status if the network fails, and cause no refresh', async () => {
    const { server, url, signedIn } = await setUp()
    const gone = await startOrigin((_, response) => void response.destroy())
    const http = createHttpClient((await signedIn()) as never, { origins: [url, gone.url] })
    const [error] = await outcomes([firstValueFrom(http.get(`${gone.url}/x`))])
    expect(error).toMatchObject({ name: 'HttpErrorResponse', status: 0 })
    expect(server.tokenRequests).toBe(0)
  })

  it('are not passed to isChallenge if the network fails', async () => {
    const { server, url, signedIn } = await setUp()
    const gone = await startOrigin((_, response) => void response.destroy())
    const isChallenge = vi.fn(() => true)
    const http = createHttpClient((await signedIn()) as never, { origins: [url, gone.url], isChallenge })
    await outcomes([firstValueFrom(http.get(`${gone.url}/x`))])
    expect(isChallenge).not.toHaveBeenCalled()
    expect(server.tokenRequests).toBe(0)
  })

  it('do not concern the token if they come from another origin after a redirect', async () => {
    const { server, url, signedIn } = await setUp()
    const foreign = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const target = encodeURIComponent(`${foreign.url}/api/x`)
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/redirect?to=${target}`))])
    expect(error).toMatchObject({ status: 401, url: `${foreign.url}/api/x` })
    expect(to(foreign.server.log, '/api/x')[0]?.authorization).toBeUndefined()
    expect(server.tokenRequests).toBe(0)
  })

  it('are not wrapped if they come from the session', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()
    server.killRefreshTokens()
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/x`))])
    expect(error).toMatchObject({ name: 'SessionExpiredError', reason: 'invalid_grant' })
  })

  it('do not contain the token', async () => {
    const { server, url, signedIn } = await setUp({ routes: REFUSED })
    const auth = await signedIn()
    const http = createHttpClient(auth as never, { origins: [url] })
    const token = await auth.getAccessToken()
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/never`))])
    expect(to(server.log, '/api/never')[0]!.authorization).toBe(`Bearer ${token}`)
    expect(JSON.stringify(error)).toContain('403')
    expect(JSON.stringify(error)).not.toContain(token)
  })

  it('are retried by retry() with the current token', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()
    let answers = 0
    const flaky = http.get(`${url}/api/flaky`).pipe(
      switchMap((answer) => (++answers < 3 ? from(Promise.reject(new Error('not yet'))) : of(answer))),
      retry(2),
    )
    expect(await firstValueFrom(flaky)).toMatchObject({ generation: 2 })
    expect(to(server.log, '/api/flaky').map(({ generation }) => generation)).toEqual([1, 2, 2, 2])
  })
})

describe('authInterceptor among other interceptors', () => {
  const chain = (
    auth: unknown,
    url: string,
    before: (request: HttpRequest<unknown>) => void,
    after: (request: HttpRequest<unknown>, next: HttpHandlerFn) => ReturnType<HttpHandlerFn>,
  ) =>
    createInjector(
      provideAuth(auth as never),
      provideHttpClient(
        withFetch(),
        withInterceptors([
          (request, next) => {
            before(request)
            return next(request)
          },
          authInterceptor({ origins: [url] }),
          after,
        ]),
      ),
    ).get(HttpClient)

  it('lets earlier ones run once per call, and later ones once per attempt', async () => {
    const { server, url, signedIn } = await setUp()
    const above: unknown[] = []
    const below: unknown[] = []
    const http = chain(
      await signedIn(),
      url,
      ({ headers }) => above.push(headers.has('Authorization')),
      (request, next) => {
        below.push(request.headers.has('Authorization'))
        return next(request)
      },
    )
    server.expireAccessTokens()

    await firstValueFrom(http.get(`${url}/api/x`))

    expect({ above, below }).toEqual({ above: [false], below: [true, true] })
  })

  it('accepts a later one that emits no response, or more than one', async () => {
    const { url, signedIn } = await setUp()
    const auth = await signedIn()
    const silent = chain(
      auth,
      url,
      () => {},
      () => EMPTY,
    )
    expect(await lastValueFrom(silent.get(`${url}/api/x`), { defaultValue: 'nothing' })).toBe('nothing')

    const fresh = deferred<HttpResponse<string>>()
    const cached = chain(
      auth,
      url,
      () => {},
      () =>
        from(
          (async function* () {
            yield new HttpResponse({ body: 'cached', status: 200 })
            yield await fresh.promise
          })(),
        ),
    )
    const seen: unknown[] = []
    const first = deferred()
    const all = new Promise<void>((complete) =>
      cached.get(`${url}/api/x`).subscribe({
        next(body) {
          seen.push(body)
          first.resolve()
        },
        complete,
      }),
    )
    await first.promise
    expect(seen).toEqual(['cached'])
    fresh.resolve(new HttpResponse({ body: 'fresh', status: 200 }))
    await all
    expect(seen).toEqual(['cached', 'fresh'])
  })

  it('passes on the error of a later one', async () => {
    const { url, signedIn } = await setUp()
    const http = chain(
      await signedIn(),
      url,
      () => {},
      () => {
        throw new RangeError('mine')
      },
    )
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/x`))])
    expect(error).toMatchObject({ name: 'RangeError', message: 'mine' })
  })
})

describe('authInterceptor in a zone', () => {
  /** The part of Zone.js that Angular uses. Like the original with native promises, it loses the zone after an `await`. */
  const fakeZone = () => {
    let inside = false
    const run = <T>(what: () => T): T => {
      const before = inside
      inside = true
      try {
        return what()
      } finally {
        inside = before
      }
    }
    const outside = (what: () => unknown) => what()
    vi.stubGlobal('Zone', { root: { run: outside }, current: { get: () => inside, run: outside } })
    onTestFinished(() => void vi.unstubAllGlobals())
    return Object.assign(new ɵNoopNgZone(), { run })
  }

  it('emits in the zone of the subscriber, and outside of it for other subscribers', async () => {
    const { server, url, signedIn } = await setUp()
    const zone = fakeZone()
    const http = createInjector(
      { provide: NgZone, useValue: zone },
      provideAuth((await signedIn()) as never),
      provideHttpClient(
        withFetch(),
        withInterceptors([authInterceptor({ origins: [url], isChallenge: ({ status }) => status === 401 })]),
      ),
    ).get(HttpClient)
    const listen = (path: string) =>
      new Promise<boolean[]>((resolve) => {
        const zones: boolean[] = []
        const note = () => zones.push(NgZone.isInAngularZone())
        http.request('GET', url + path, { observe: 'events', reportProgress: true }).subscribe({
          next: note,
          error: () => resolve([note() > 0, NgZone.isInAngularZone()]),
          complete: () => {
            note()
            resolve(zones)
          },
        })
      })
    server.expireAccessTokens()

    expect(await zone.run(() => listen('/api/x'))).toEqual(Array(5).fill(true))
    expect(await zone.run(() => listen('/api/always-401'))).toEqual([true, true])
    expect(await listen('/api/x')).toEqual(Array(5).fill(false))
  })
})

describe('authInterceptor with HttpTestingController', () => {
  it('sends a request at once, with its original body', async () => {
    const { auth } = createHarness()
    const injector = createInjector(
      provideAuth(auth),
      provideHttpClient(withInterceptors([authInterceptor({ origins: ['https://api.test'] })])),
      provideHttpClientTesting(),
    )
    const seen: unknown[] = []
    injector
      .get(HttpClient)
      .post('https://api.test/x', { name: 'ada' })
      .subscribe((body) => seen.push(body))

    const sent = injector.get(HttpTestingController).expectOne('https://api.test/x')
    expect(sent.request.body).toEqual({ name: 'ada' })
    expect(sent.request.headers.get('Authorization')).toBe(`Bearer ${await auth.getAccessToken()}`)
    sent.flush({ id: 1 })
    await settled()
    expect(seen).toEqual([{ id: 1 }])
  })
})

describe('authInterceptor', () => {
  it('throws an error that names the option origins outside of a page', () => {
    expect(() => authInterceptor()).toThrow(
      'authInterceptor has no origin to send tokens to: there is no page and no base URL here. Set origins:',
    )
  })

  it('sends excluded requests unchanged', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, {
      origins: [url],
      exclude: (target) => target.endsWith('/public'),
    })
    await firstValueFrom(http.get(`${url}/public`))
    expect(to(server.log, '/public')[0]!.authorization).toBeUndefined()
  })

  it('sends an excluded request while the gate is closed', async () => {
    const { url, auth, open, first } = await closeGate()
    const http = createHttpClient(auth as never, { origins: [url], exclude: (to) => to.endsWith('/public') })
    await firstValueFrom(http.get(`${url}/public`))
    open()
    await first
  })

  it('rejects options that must be set in the worker if the session is in a worker', async () => {
    const { auth } = createHarness()
    const elsewhere = Object.assign(auth, { [WORKER_FETCH]: fetch })
    const http = createHttpClient(elsewhere, { origins: ['https://api.test'], abortInFlight: 'safe' })
    const [error] = await outcomes([firstValueFrom(http.get('https://api.test/x'))])
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'Give abortInFlight to serveAuth, in the worker.',
    })
  })

  it('throws an explanatory error if no auth is provided', async () => {
    const http = createInjector(
      provideHttpClient(withFetch(), withInterceptors([authInterceptor({ origins: ['https://api.test'] })])),
    ).get(HttpClient)
    const [error] = await outcomes([firstValueFrom(http.get('https://api.test/x'))])
    expect(error).toMatchObject({ message: expect.stringContaining('authInterceptor() found no auth.') })
  })
})
