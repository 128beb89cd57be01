// Import this before the rest of Angular: its packages are published partially compiled.
import '@angular/compiler'
import { createHash } from 'node:crypto'
import {
  HttpClient,
  type HttpErrorResponse,
  type HttpEvent,
  HttpEventType,
  HttpResponse,
  provideHttpClient,
  withFetch,
} from '@angular/common/http'
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { createHttpClient, createInjector } from '../conformance/angular-transport.ts'
import { nextEvent, outcomes, setUp } from '../conformance/harness.ts'
import { closeGate, to } from '../transports/support.ts'
import { connected } from '../worker/in-process.ts'

const bare = () => createInjector(provideHttpClient(withFetch())).get(HttpClient)

/** Returns the comparable parts of a response or an error. */
const comparable = async (answer: unknown) => {
  const { status, statusText, ok, url, headers, body, error } = answer as HttpResponse<unknown> &
    HttpErrorResponse
  const content: unknown = answer instanceof HttpResponse ? body : error
  const read =
    content instanceof Blob
      ? [content.type, await content.text()]
      : content instanceof ArrayBuffer
        ? [...new Uint8Array(content)]
        : content instanceof Error
          ? content.name
          : content
  return {
    status,
    statusText,
    ok,
    url,
    type: headers.get('content-type'),
    read,
    as: answer?.constructor.name,
  }
}

const ANSWERS: Readonly<Record<string, () => Response>> = {
  json: () => Response.json({ a: [1] }),
  empty: () => new Response(null, { status: 204 }),
  prefixed: () => new Response(`)]}',\n{"a":1}`),
  broken: () => new Response('{"a":'),
  words: () => new Response('no such thing', { status: 404 }),
  details: () => Response.json({ why: 'because' }, { status: 422 }),
  binary: () => new Response(new Uint8Array([0, 255, 13]), { headers: { 'content-type': 'image/png' } }),
}
const routes = Object.fromEntries(
  Object.entries(ANSWERS).map(([name, handler]) => [`/api/${name}`, { handler }]),
)

describe('HttpClient, with the session in a worker', () => {
  it.each(
    Object.keys(ANSWERS).flatMap((name) =>
      (['json', 'text', 'blob', 'arraybuffer'] as const).map((type) => [name, type] as const),
    ),
  )('returns the same response as without a session: %s, read as %s', async (name, responseType) => {
    const { url, signedIn } = await setUp({ routes })
    const auth = await signedIn()
    const authorization = `Bearer ${await auth.getAccessToken()}`
    const http = createHttpClient(connected(auth, { origins: [url] }) as never, { origins: [url] })
    const options = { observe: 'response', responseType: responseType as 'json' } as const

    const [ours, theirs] = await outcomes([
      firstValueFrom(http.get(`${url}/api/${name}`, options)),
      firstValueFrom(bare().get(`${url}/api/${name}`, { ...options, headers: { authorization } })),
    ])

    expect(await comparable(ours)).toEqual(await comparable(theirs))
  })

  it('sends the same headers and body as without a session', async () => {
    const { server, url, signedIn } = await setUp()
    const http = createHttpClient(connected(await signedIn(), { origins: [url] }) as never, {
      origins: [url],
    })
    const headers = { 'x-own': ['a', 'b'] }
    await firstValueFrom(bare().post(`${url}/public`, { name: 'Ädä' }, { headers }))
    await firstValueFrom(http.post(`${url}/api/echo`, { name: 'Ädä' }, { headers }))
    const [measure] = to(server.log, '/public')
    const [sent] = to(server.log, '/api/echo')
    for (const name of ['accept', 'content-type', 'x-own'])
      expect(sent?.headers[name]).toBe(measure?.headers[name])
    expect(sent?.bodyText).toBe(measure?.bodyText)
  })

  it('emits the events Sent, ResponseHeader and Response', async () => {
    const { url, signedIn } = await setUp()
    const http = createHttpClient(connected(await signedIn(), { origins: [url] }) as never, {
      origins: [url],
    })
    const request = http.get(`${url}/api/x`, { observe: 'events', reportProgress: true })
    const events: HttpEvent<unknown>[] = await lastValueFrom(request.pipe(toArray()))
    expect(events.map(({ type }) => HttpEventType[type])).toEqual(['Sent', 'ResponseHeader', 'Response'])
  })

  it('passes the options of fetch on', async () => {
    const { url, signedIn } = await setUp({ routes })
    const http = createHttpClient(connected(await signedIn(), { origins: [url] }) as never, {
      origins: [url],
    })
    const get = (integrity: string) => firstValueFrom(http.get(`${url}/api/json`, { integrity }))
    const hash = createHash('sha256').update('{"a":[1]}').digest('base64')
    expect(await get(`sha256-${hash}`)).toEqual({ a: [1] })
    await expect(get(`sha256-${hash.split('').reverse().join('')}`)).rejects.toMatchObject({ status: 0 })
  })

  it('does not send a request that is unsubscribed while the worker holds it', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const http = createHttpClient(connected(auth, { origins: [url] }) as never, { origins: [url] })
    const held = nextEvent(auth, 'requestHeld')
    const leaving = http.get(`${url}/api/leaves`).subscribe()
    await held
    const rejected = nextEvent(auth, 'requestRejected')
    leaving.unsubscribe()
    await rejected
    open()
    await first
    expect(to(server.log, '/api/leaves')).toEqual([])
  })
})
