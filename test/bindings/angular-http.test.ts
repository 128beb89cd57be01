// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import {
  HttpClient,
  type HttpEvent,
  HttpEventType,
  HttpParams,
  HttpResponse,
  type HttpResponseBase,
  provideHttpClient,
  withFetch,
} from '@angular/common/http'
import { firstValueFrom } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { createHttpClient, createInjector, sendBy } from '../conformance/angular-transport.ts'
import { nextEvent, setUp } from '../conformance/harness.ts'
import { createHarness } from '../core/auth-setup.ts'
import { closeGate, deferred, startOrigin, to } from '../transports/support.ts'

const { Sent, DownloadProgress, Response: Answered } = HttpEventType
/** A path that always responds with a 403. */
const REFUSED = { '/api/never': { handler: () => Response.json({ error: 'never' }, { status: 403 }) } }
const kinds = (events: readonly HttpEvent<unknown>[]) => events.map(({ type }) => HttpEventType[type])

/** Records the events that a subscriber receives. */
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

describe('the events of an HttpClient request', () => {
  it('are those of the final response, without those of the earlier 401', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    server.expireAccessTokens()

    const { events, ended } = watchEvents(http, 'POST', `${url}/api/echo`, { body: { n: 1 } })

    expect(await ended).toBe('complete')
    expect(to(server.log, '/api/echo').map(({ status }) => status)).toEqual([401, 200])
    expect(kinds(events)).toEqual(['Sent', 'ResponseHeader', 'DownloadProgress', 'Response'])
    expect(events.flatMap((event) => ('status' in event ? [event.status] : []))).toEqual([200, 200])
  })

  it('are emitted while the response arrives', async () => {
    const rest = deferred()
    const origin = await startOrigin((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('begun, ')
      void rest.promise.then(() => response.end('ended'))
    })
    const { auth } = createHarness()
    const http = createHttpClient(auth, { origins: [origin.url] })

    const { events, ended, until } = watchEvents(http, 'GET', `${origin.url}/`, { responseType: 'text' })
    await until(DownloadProgress)

    expect(kinds(events)).toEqual(['Sent', 'ResponseHeader', 'DownloadProgress'])
    rest.resolve()
    expect(await ended).toBe('complete')
    expect(events.at(-1)).toMatchObject({ type: Answered, body: 'begun, ended' })
  })

  it('include those of a 401 that the caller receives, before the error', async () => {
    const { url, signedIn } = await setUp({ routes: REFUSED })
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })

    const { events, ended } = watchEvents(http, 'GET', `${url}/api/never`)

    expect(await ended).toMatchObject({ name: 'HttpErrorResponse', status: 403 })
    expect(kinds(events).slice(0, 2)).toEqual(['Sent', 'ResponseHeader'])
  })

  it('are withheld until isChallenge has seen the response with its body', async () => {
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

describe('an HttpClient request whose caller unsubscribes', () => {
  it('is not sent if it is held, and does not affect other requests', async () => {
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

  it('is not sent if its form has not been encoded yet', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient((await signedIn()) as never, { origins: [url] })
    const form = new FormData()
    form.set('name', 'ada')

    watchEvents(http, 'POST', `${url}/api/form`, { body: form }).subscription.unsubscribe()

    expect(await firstValueFrom(http.post(`${url}/api/form`, form))).toMatchObject({ generation: 1 })
    expect(to(server.log, '/api/form')).toHaveLength(1)
  })

  it('is aborted in flight, and lets the next queued request start', async () => {
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

  it('is not replayed if that happens at its first event', async () => {
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

describe('the body of an HttpClient request', () => {
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
  ])('is replayed like HttpClient sends it: %s', async (_, make) => {
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

  it('is replayed with the same boundary if it is a form', async () => {
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

  it('is sent unchanged if the caller modifies it in the meantime', async () => {
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

  it('keeps the content type that the caller has set', async () => {
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
