// Before all else of Angular, whose packages are published half compiled.
import '@angular/compiler'
import {
  HttpClient,
  HttpErrorResponse,
  type HttpEvent,
  HttpEventType,
  type HttpHandlerFn,
  HttpParams,
  type HttpRequest,
  HttpResponse,
  type HttpResponseBase,
  provideHttpClient,
  withFetch,
  withInterceptors,
} from '@angular/common/http'
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing'
import { NgZone, ɵNoopNgZone } from '@angular/core'
import { EMPTY, firstValueFrom, from, lastValueFrom, of, retry, switchMap } from 'rxjs'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { authInterceptor, provideAuth } from '../../src/bindings/angular.ts'
import { FETCH } from '../../src/core/auth.ts'
import { settled } from '../../src/testing/virtual-clock.ts'
import { createHttpClient, createInjector, sendBy } from '../conformance/angular-transport.ts'
import { nextEvent, outcomes, setUp } from '../conformance/harness.ts'
import { rig } from '../core/auth-setup.ts'
import { closeGate, deferred, startOrigin, to } from '../transports/support.ts'

const { Sent, DownloadProgress, Response: Answered } = HttpEventType
/** A path whose answer is always a refusal. */
const REFUSED = { '/api/never': { handler: () => Response.json({ error: 'never' }, { status: 403 }) } }
const kinds = (events: readonly HttpEvent<unknown>[]) => events.map(({ type }) => HttpEventType[type])

/** What a subscriber hears, as it hears it. */
const watchEvents = (http: HttpClient, method: string, url: string, options: object = {}) => {
  const events: HttpEvent<unknown>[] = []
  const ended = deferred<unknown>()
  const arrived = new Map<HttpEventType, () => void>()
  const subscription = http
    .request(method, url, { observe: 'events', reportProgress: true, ...options })
    .subscribe({
      next(event) {
        events.push(event)
        arrived.get(event.type)?.()
      },
      error: ended.resolve,
      complete: () => ended.resolve('complete'),
    })
  const until = (type: HttpEventType) => new Promise<void>((resolve) => arrived.set(type, resolve))
  return { events, ended: ended.promise, subscription, until }
}

describe('the events of a request', () => {
  it('are those of the answer that counts; what came with the refusal before is not told', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()

    const { events, ended } = watchEvents(http, 'POST', `${url}/api/echo`, { body: { n: 1 } })

    expect(await ended).toBe('complete')
    expect(to(server.log, '/api/echo').map(({ status }) => status)).toEqual([401, 200])
    expect(kinds(events)).toEqual(['Sent', 'ResponseHeader', 'DownloadProgress', 'Response'])
    expect(events.flatMap((event) => ('status' in event ? [event.status] : []))).toEqual([200, 200])
  })

  it('come while the answer does', async () => {
    const rest = deferred()
    const origin = await startOrigin((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('begun, ')
      void rest.promise.then(() => response.end('ended'))
    })
    const { auth } = rig()
    const http = createHttpClient(auth, { origins: [origin.url] })

    const { events, ended, until } = watchEvents(http, 'GET', `${origin.url}/`, { responseType: 'text' })
    await until(DownloadProgress)

    expect(kinds(events)).toEqual(['Sent', 'ResponseHeader', 'DownloadProgress'])
    rest.resolve()
    expect(await ended).toBe('complete')
    expect(events.at(-1)).toMatchObject({ type: Answered, body: 'begun, ended' })
  })

  it('of a refusal that is the caller’s come after all, before the error', async () => {
    const { url, signedIn } = await setUp({ routes: REFUSED })
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })

    const { events, ended } = watchEvents(http, 'GET', `${url}/api/never`)

    expect(await ended).toMatchObject({ name: 'HttpErrorResponse', status: 403 })
    expect(kinds(events).slice(0, 2)).toEqual(['Sent', 'ResponseHeader'])
  })

  it('wait for isChallenge, which is shown the answer with its body', async () => {
    const { server, url, signedIn } = await setUp()
    const asked = deferred()
    const verdict = deferred()
    const shown: HttpResponseBase[] = []
    const http = createHttpClient((await signedIn()) as never, {
      origins: [url],
      isChallenge: async (answer) => {
        shown.push(answer)
        asked.resolve()
        await verdict.promise
        return shown.length === 1
      },
    })

    const { events, ended } = watchEvents(http, 'GET', `${url}/api/x`)
    await asked.promise
    expect(kinds(events)).toEqual(['Sent'])
    verdict.resolve()

    expect(await ended).toBe('complete')
    expect(shown).toMatchObject([
      { status: 200, body: { generation: 1 } },
      { status: 200, body: { generation: 2 } },
    ])
    expect(shown[0]).toBeInstanceOf(HttpResponse)
    expect(kinds(events)).toEqual(['Sent', 'ResponseHeader', 'DownloadProgress', 'Response'])
    expect(events.at(-1)).toMatchObject({ body: { generation: 2 } })
    expect(server.refreshes).toBe(1)
  })
})

describe('who unsubscribes', () => {
  it('while the request is held is not sent any more, and nobody else notices', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const http = createHttpClient(auth as never, { origins: [url] })
    const held = nextEvent(auth, 'requestHeld')
    const { subscription } = watchEvents(http, 'POST', `${url}/api/leaves`, { body: 'text' })
    const stays = firstValueFrom(http.get(`${url}/api/stays`))
    await held
    const rejected = nextEvent(auth, 'requestRejected')

    subscription.unsubscribe()

    expect(await rejected).toMatchObject({ count: 1, reason: 'aborted' })
    open()
    await Promise.all([first, stays])
    expect(to(server.log, '/api/leaves')).toEqual([])
  })

  it('before a form is encoded is not sent at all', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const form = new FormData()
    form.set('name', 'ada')

    watchEvents(http, 'POST', `${url}/api/form`, { body: form }).subscription.unsubscribe()

    expect(await firstValueFrom(http.post(`${url}/api/form`, form))).toMatchObject({ generation: 1 })
    expect(to(server.log, '/api/form')).toHaveLength(1)
  })

  it('in flight ends the sending, and makes room for who waits behind it', async () => {
    const { server, url, auth, open, first } = await closeGate({ release: { concurrency: 1 } })
    const http = createHttpClient(auth as never, { origins: [url] })
    const arrived = server.whenRequest(({ path }) => path === '/api/slow')
    const slow = watchEvents(http, 'GET', `${url}/api/slow?ms=60000`)
    const behind = firstValueFrom(http.get(`${url}/api/behind`))
    open()
    await Promise.all([first, arrived])

    slow.subscription.unsubscribe()

    expect(await behind).toMatchObject({ generation: 2 })
  })

  it('at the very first event sends no second time', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()

    const first = http.request('GET', `${url}/api/left`, { observe: 'events' })
    expect(await firstValueFrom(first)).toEqual({ type: Sent })

    expect(await firstValueFrom(http.get(`${url}/api/next`))).toMatchObject({ generation: 2 })
    expect(to(server.log, '/api/left').filter(({ generation }) => generation === 2)).toEqual([])
  })
})

const BYTES = new Uint8Array([0, 255, 13, 10, 128, 1])

describe('a body', () => {
  it.each<[kind: string, make: () => unknown]>([
    ['an object', () => ({ name: 'Ädä', list: [1, null, { deep: true }] })],
    ['an array', () => ['a', { b: 1 }]],
    ['a string', () => 'plain text, with an umlaut: ü\r\n'],
    ['an empty string', () => ''],
    ['a number', () => 5],
    ['false', () => false],
    ['null', () => null],
    ['HttpParams', () => new HttpParams({ fromObject: { a: ['1 &', 'ü'] } })],
    ['URLSearchParams', () => new URLSearchParams({ a: '1 &' })],
    ['an ArrayBuffer', () => BYTES.slice().buffer],
    ['a typed array', () => BYTES.slice()],
    ['a Blob with a type', () => new Blob([BYTES], { type: 'image/png' })],
    ['a Blob without one', () => new Blob([BYTES])],
  ])('that is %s is sent again as HttpClient sends it', async (_, make) => {
    const { server, url, signedIn } = await setUp()
    const bare = createInjector(provideHttpClient(withFetch())).get(HttpClient)
    await sendBy(bare)(`${url}/public`, { method: 'POST', body: make() })
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.reset()
    await sendBy(bare)(`${url}/public`, { method: 'POST', body: make() })
    server.expireAccessTokens()

    await firstValueFrom(http.post(`${url}/api/echo`, make()))

    const [measure] = to(server.log, '/public')
    const sent = to(server.log, '/api/echo')
    expect(sent.map(({ generation }) => generation)).toEqual([1, 2])
    for (const { bodyBytes, headers } of sent) {
      expect(bodyBytes).toEqual(measure!.bodyBytes)
      expect(headers['content-type']).toBe(measure!.headers['content-type'])
    }
  })

  it('that is a form is sent again with the same boundary', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()
    const form = new FormData()
    form.set('file', new Blob([BYTES]), 'bytes.bin')

    await firstValueFrom(http.post(`${url}/api/form`, form))

    const [first, second] = to(server.log, '/api/form')
    expect(second!.bodyBytes).toEqual(first!.bodyBytes)
    expect(second!.headers['content-type']).toBe(first!.headers['content-type'])
    expect(first!.bodyText).toContain(first!.headers['content-type']!.split('boundary=')[1])
  })

  it('that its owner changes meanwhile is sent as it was', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()
    const refreshing = server.whenRequest(({ path }) => path === '/token')
    const body = { when: 'before' }

    const answer = firstValueFrom(http.post(`${url}/api/echo`, body))
    await refreshing
    body.when = 'after'
    await answer

    expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual(
      Array(2).fill('{"when":"before"}'),
    )
  })

  it('keeps the content type of its caller', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()

    await firstValueFrom(
      http.post(`${url}/api/echo`, { a: 1 }, { headers: { 'content-type': 'application/vnd.own+json' } }),
    )

    expect(to(server.log, '/api/echo').map(({ headers }) => headers['content-type'])).toEqual(
      Array(2).fill('application/vnd.own+json'),
    )
  })
})

describe('errors', () => {
  it('of the server are HttpErrorResponses', async () => {
    const { url, signedIn } = await setUp({
      routes: { '/api/broken': { handler: () => new Response('broken', { status: 500 }) } },
    })
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/broken`))])
    expect(error).toBeInstanceOf(HttpErrorResponse)
    expect(error).toMatchObject({ status: 500, error: 'broken' })
  })

  it('of the network are HttpErrorResponses without a status, and cost no renewal', async () => {
    const { server, url, signedIn } = await setUp()
    const gone = await startOrigin((_, response) => void response.destroy())
    const http = createHttpClient((await signedIn()) as never, { origins: [url, gone.url] })
    const [error] = await outcomes([firstValueFrom(http.get(`${gone.url}/x`))])
    expect(error).toMatchObject({ name: 'HttpErrorResponse', status: 0 })
    expect(server.tokenRequests).toBe(0)
  })

  it('of the network are no answers that isChallenge could judge', async () => {
    const { server, url, signedIn } = await setUp()
    const gone = await startOrigin((_, response) => void response.destroy())
    const isChallenge = vi.fn(() => true)
    const http = createHttpClient((await signedIn()) as never, { origins: [url, gone.url], isChallenge })
    await outcomes([firstValueFrom(http.get(`${gone.url}/x`))])
    expect(isChallenge).not.toHaveBeenCalled()
    expect(server.tokenRequests).toBe(0)
  })

  it('of another origin, where a redirect led to, say nothing about the token', async () => {
    const { server, url, signedIn } = await setUp()
    const foreign = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const target = encodeURIComponent(`${foreign.url}/api/x`)
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/redirect?to=${target}`))])
    expect(error).toMatchObject({ status: 401, url: `${foreign.url}/api/x` })
    expect(to(foreign.server.log, '/api/x')[0]?.authorization).toBeUndefined()
    expect(server.tokenRequests).toBe(0)
  })

  it('of the session come as they are', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()
    server.killRefreshTokens()
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/x`))])
    expect(error).toMatchObject({ name: 'SessionExpiredError', reason: 'invalid_grant' })
  })

  it('show nothing of the token', async () => {
    const { server, url, signedIn } = await setUp({ routes: REFUSED })
    const auth = await signedIn()
    const http = createHttpClient(auth as never, { origins: [url] })
    const token = await auth.getAccessToken()
    const [error] = await outcomes([firstValueFrom(http.get(`${url}/api/never`))])
    expect(to(server.log, '/api/never')[0]!.authorization).toBe(`Bearer ${token}`)
    expect(JSON.stringify(error)).toContain('403')
    expect(JSON.stringify(error)).not.toContain(token)
  })

  it('that retry() tries again are sent with the token of that time', async () => {
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

describe('among other interceptors', () => {
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

  it('those above run once for each call, those below once for each sending', async () => {
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

  it('one below may end the request without an answer, or answer more than once', async () => {
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

  it('one below that fails with something of its own fails the request with that', async () => {
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

describe('in a zone', () => {
  /** As much of Zone.js as Angular asks for. It loses sight of what was awaited, as that does of native promises. */
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

  it('everything is told inside of it to who subscribed there, and outside of it to who did not', async () => {
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
        const told: boolean[] = []
        const tell = () => told.push(NgZone.isInAngularZone())
        http.request('GET', url + path, { observe: 'events', reportProgress: true }).subscribe({
          next: tell,
          error: () => resolve([tell() > 0, NgZone.isInAngularZone()]),
          complete: () => {
            tell()
            resolve(told)
          },
        })
      })
    server.expireAccessTokens()

    expect(await zone.run(() => listen('/api/x'))).toEqual(Array(5).fill(true))
    expect(await zone.run(() => listen('/api/always-401'))).toEqual([true, true])
    expect(await listen('/api/x')).toEqual(Array(5).fill(false))
  })
})

describe('with HttpTestingController', () => {
  it('a request is there as soon as it is made, with its body as it was given', async () => {
    const { auth } = rig()
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
  it('says what to set where there is no page and no origin', () => {
    expect(() => authInterceptor()).toThrow(
      'authInterceptor has no origin to send tokens to: there is no page and no base URL here. Set origins:',
    )
  })

  it('leaves alone what is excluded', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, {
      origins: [url],
      exclude: (target) => target.endsWith('/public'),
    })
    await firstValueFrom(http.get(`${url}/public`))
    expect(to(server.log, '/public')[0]!.authorization).toBeUndefined()
  })

  it('sends a request that is excluded while the gate is closed', async () => {
    const { url, auth, open, first } = await closeGate()
    const http = createHttpClient(auth as never, { origins: [url], exclude: (to) => to.endsWith('/public') })
    await firstValueFrom(http.get(`${url}/public`))
    open()
    await first
  })

  it('takes what decides about sendings there, where the session lives in a worker', async () => {
    const { auth } = rig()
    const elsewhere = Object.assign(Object.create(auth), { [FETCH]: fetch })
    const http = createHttpClient(elsewhere, { origins: ['https://api.test'], abortInFlight: 'safe' })
    const [error] = await outcomes([firstValueFrom(http.get('https://api.test/x'))])
    expect(error).toMatchObject({
      name: 'TypeError',
      message: 'Give abortInFlight to serveAuth, in the worker.',
    })
  })

  it('says what is missing where no auth is provided', async () => {
    const http = createInjector(
      provideHttpClient(withFetch(), withInterceptors([authInterceptor({ origins: ['https://api.test'] })])),
    ).get(HttpClient)
    const [error] = await outcomes([firstValueFrom(http.get('https://api.test/x'))])
    expect(error).toMatchObject({ message: expect.stringContaining('authInterceptor() found no auth.') })
  })
})
