import { describe, expect, test } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { nextEvent, setUp, type TestAuth } from '../conformance/harness.ts'
import { closeGate, to } from './support.ts'

type Send = (input: Request, init?: RequestInit) => Promise<{ readonly status: number }>

const clients: readonly (readonly [name: string, make: (auth: TestAuth, url: string) => Send])[] = [
  ['fetch', (auth, url) => createAuthFetch(auth, { origins: [url] })],
  ['ofetch', (auth, url) => createAuthOfetch(auth, { origins: [url] }).raw as Send],
]

const json = (url: string, body: unknown, init: RequestInit = {}) =>
  new Request(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', 'x-trace': 'abc' },
    ...init,
  })

describe.each(clients)('%s: Request objects', (_, make) => {
  test('a Request with a JSON body is replayed with its method, headers and bytes', async () => {
    const { server, url, signedIn } = await setUp()
    const send = make(await signedIn(), url)
    server.expireAccessTokens()

    expect((await send(json(`${url}/api/echo`, { a: 'ü' }))).status).toBe(200)

    const sent = to(server.log, '/api/echo')
    expect(sent.map(({ generation }) => generation)).toEqual([1, 2])
    for (const { method, bodyText, headers } of sent) {
      expect([method, bodyText]).toEqual(['POST', '{"a":"ü"}'])
      expect([headers['content-type'], headers['x-trace']]).toEqual(['application/json', 'abc'])
      expect(headers['content-length']).toBe('10')
    }
  })

  test('a Request with a form is replayed with the same boundary and bytes', async () => {
    const { server, url, signedIn } = await setUp()
    const send = make(await signedIn(), url)
    server.expireAccessTokens()
    const form = new FormData()
    form.set('file', new Blob([new Uint8Array([0, 255, 13, 10])]), 'x.bin')

    expect((await send(new Request(`${url}/api/form`, { method: 'PUT', body: form }))).status).toBe(200)

    const [first, second, ...rest] = to(server.log, '/api/form')
    expect(rest).toEqual([])
    expect(second!.headers['content-type']).toBe(first!.headers['content-type'])
    expect(first!.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(Buffer.from(second!.bodyBytes)).toEqual(Buffer.from(first!.bodyBytes))
    expect(first!.bodyBytes.length).toBeGreaterThan(50)
  })

  test('a Request whose body is a stream is replayed, because a Request can be cloned', async () => {
    const { server, url, signedIn } = await setUp()
    const send = make(await signedIn(), url)
    server.expireAccessTokens()
    const body = new Blob(['part one, ', 'part two']).stream()
    const request = new Request(`${url}/api/echo`, { method: 'POST', body, duplex: 'half' } as RequestInit)

    expect((await send(request)).status).toBe(200)

    expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual([
      'part one, part two',
      'part one, part two',
    ])
  })

  test('the init object takes precedence over the Request in both sendings', async () => {
    const { server, url, signedIn } = await setUp()
    const send = make(await signedIn(), url)
    server.expireAccessTokens()
    const init = {
      method: 'PATCH',
      body: 'other',
      headers: { 'content-type': 'text/x-own', 'x-trace': 'new' },
    }

    expect((await send(json(`${url}/api/echo`, { a: 1 }), init)).status).toBe(200)

    const sent = to(server.log, '/api/echo')
    expect(
      sent.map(({ method, bodyText, headers }) => [
        method,
        bodyText,
        headers['content-type'],
        headers['x-trace'],
      ]),
    ).toEqual([
      ['PATCH', 'other', 'text/x-own', 'new'],
      ['PATCH', 'other', 'text/x-own', 'new'],
    ])
  })

  test('a form in the init object is replayed with a content type that names its boundary', async () => {
    const { server, url, signedIn } = await setUp()
    const send = make(await signedIn(), url)
    server.expireAccessTokens()
    const form = new FormData()
    form.set('a', 'ü')

    expect((await send(new Request(`${url}/api/form`, { method: 'POST' }), { body: form })).status).toBe(200)

    const [first, second] = to(server.log, '/api/form')
    expect(Buffer.from(second!.bodyBytes)).toEqual(Buffer.from(first!.bodyBytes))
    expect(second!.headers['content-type']).toBe(first!.headers['content-type'])
    const parsed = await new Response(second!.bodyBytes.slice(), {
      headers: { 'content-type': second!.headers['content-type']! },
    }).formData()
    expect(parsed.get('a')).toBe('ü')
  })

  test('a stream in the init object is sent once, and its 401 is returned to the caller', async () => {
    const { server, url, signedIn } = await setUp()
    const auth = await signedIn()
    const send = make(auth, url)
    server.expireAccessTokens()
    const refreshed = nextEvent(auth, 'refreshed')
    const init = { body: new Blob(['once']).stream(), duplex: 'half' } as RequestInit

    const refused = await send(new Request(`${url}/api/echo`, { method: 'POST' }), init).catch(
      (error: { status: number }) => error,
    )

    expect(refused.status).toBe(401)
    await refreshed
    expect(to(server.log, '/api/echo').map(({ bodyText }) => bodyText)).toEqual(['once'])
  })

  test('a held Request is sent as it was at the call, although the init object changes', async () => {
    const { server, url, auth, open } = await closeGate()
    const headers = new Headers({ 'x-when': 'before' })
    const init: RequestInit = { method: 'PUT', headers, body: 'before' }

    const call = make(auth, url)(json(`${url}/api/echo`, {}), init)
    headers.set('x-when', 'after')
    init.body = 'after'
    await nextEvent(auth, 'requestHeld')
    open()
    await call

    expect(
      to(server.log, '/api/echo').map(({ method, bodyText, headers: sent }) => [
        method,
        bodyText,
        sent['x-when'],
      ]),
    ).toEqual([['PUT', 'before', 'before']])
  })

  test('the signal of a held Request ends its wait at once', async () => {
    const { server, url, auth, open, first } = await closeGate()
    const controller = new AbortController()

    const call = make(auth, url)(json(`${url}/api/echo`, {}, { signal: controller.signal }))
    await nextEvent(auth, 'requestHeld')
    controller.abort(new DOMException('enough', 'AbortError'))

    const error = (await call.catch((thrown: unknown) => thrown)) as Error
    expect([error, error.cause]).toContain(controller.signal.reason)
    open()
    expect((await first).status).toBe(200)
    expect(to(server.log, '/api/echo')).toEqual([])
  })
})

describe('fetch: Request objects', () => {
  test('a Request that was sent is used up, as with the bare fetch', async () => {
    const { url, signedIn } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    const request = json(`${url}/api/echo`, { a: 1 })

    await send(request)

    expect(request.bodyUsed).toBe(true)
    await expect(send(request)).rejects.toThrow(TypeError)
  })

  test('the headers of a Request get no token, because the caller may log them', async () => {
    const { server, url, signedIn } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    server.expireAccessTokens()
    const request = json(`${url}/api/echo`, { a: 1 })

    expect((await send(request)).status).toBe(200)

    expect(request.headers.has('authorization')).toBe(false)
  })

  test('a Request given as the init object provides method, headers and body for another URL', async () => {
    const { server, url, signedIn } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    server.expireAccessTokens()

    expect((await send(`${url}/api/echo`, json('https://elsewhere.example/', { a: 1 }))).status).toBe(200)

    expect(
      to(server.log, '/api/echo').map(({ method, bodyText, headers, generation }) => [
        method,
        bodyText,
        headers['x-trace'],
        generation,
      ]),
    ).toEqual([
      ['POST', '{"a":1}', 'abc', 1],
      ['POST', '{"a":1}', 'abc', 2],
    ])
  })

  test('an input that fetch rejects is a rejection, too, and never a synchronous error', async () => {
    const { url, signedIn } = await setUp()
    const problem = new Error('from exclude')
    const auth = await signedIn()
    const send = createAuthFetch(auth, { origins: [url] })
    const excluding = createAuthFetch(auth, {
      origins: [url],
      exclude: () => {
        throw problem
      },
    })

    await expect(send(`${url}/api/echo`, { body: 'a GET has no body' })).rejects.toThrow(TypeError)
    await expect(send(`${url}/api/echo`, { headers: [['only a name']] as never })).rejects.toThrow(TypeError)
    await expect(send(undefined as never)).rejects.toThrow(TypeError)
    await expect(excluding(`${url}/api/echo`)).rejects.toBe(problem)
  })
})
