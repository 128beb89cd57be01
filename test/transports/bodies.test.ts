import axios from 'axios'
import { ofetch } from 'ofetch'
import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp } from '../conformance/harness.ts'
import { asUndici, transports } from '../conformance/transports.ts'
import fc from '../support/property.ts'
import { to } from './support.ts'

const BINARY = new Uint8Array([0, 255, 13, 10, 45, 45, 128, 1])

/** Texts of the characters that a multipart encoding has to treat. */
const awkward = fc.string({
  unit: fc.constantFrom('a', 'ü', '"', '\r', '\n', '\r\n', '%', '\\', '-', ';', '='),
})

const form = () => {
  const data = new FormData()
  data.append('name', 'Ädä\r\n--x')
  data.append('file', new Blob([BINARY], { type: 'image/png' }), 'pix "1".png')
  return data
}

/** Sends the same bytes by the bare client, without a session. A replay has to look the same. */
const sendBare: Readonly<Record<string, (url: string, body: unknown) => Promise<unknown>>> = {
  fetch: (url, body) => fetch(url, { method: 'POST', ...asFetch(body) }),
  ofetch: (url, body) => ofetch(url, { method: 'POST', body: body as never }),
  'axios (http adapter)': (url, body) => axios.post(url, body, { adapter: 'http', proxy: false }),
  'axios (fetch adapter)': (url, body) => axios.post(url, body, { adapter: 'fetch' }),
  undici: (url, body) => request(url, { method: 'POST', ...asUndici(asFetch(body)) }),
}

const asFetch = (body: unknown): RequestInit =>
  Object.getPrototypeOf(Object(body)) === Object.prototype
    ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    : body === undefined
      ? {}
      : { body: body as BodyInit }

const bodies: readonly (readonly [kind: string, make: () => unknown])[] = [
  ['a JSON body', () => ({ name: 'Ädä', list: [1, null, { deep: true }] })],
  ['a string', () => 'plain text, with an umlaut: ü\r\n'],
  ['an empty string', () => ''],
  ['no body', () => undefined],
  [
    'URLSearchParams',
    () =>
      new URLSearchParams([
        ['a', '1 &'],
        ['a', 'ü'],
      ]),
  ],
  ['a Blob with a type', () => new Blob([BINARY, 'tail'], { type: 'image/png' })],
  ['an ArrayBuffer', () => BINARY.slice().buffer],
  ['a typed array', () => BINARY.slice()],
  ['a view into a larger buffer', () => new Uint8Array([9, 9, ...BINARY, 9, 9]).subarray(2, 10)],
  ['a view of wider elements', () => new Uint16Array([1, 2, 3, 65535]).subarray(1)],
  ['a DataView', () => new DataView(BINARY.slice().buffer, 1, 4)],
  ['a Node Buffer', () => Buffer.from('a pooled buffer ü')],
]

describe.each(transports)('$name: bodies', ({ name, create }) => {
  test.each(bodies)('%s is sent again byte for byte, as the bare client sends it', async (_, make) => {
    const { server, url, signedIn } = await setUp()
    await sendBare[name]!(`${url}/public`, make())
    const bare = to(server.log, '/public')[0]!
    const client = create(await signedIn(), { origin: url })
    server.expireAccessTokens()

    const answer = await client.post('/api/echo', make())

    expect(answer.status).toBe(200)
    const [first, second, ...rest] = to(server.log, '/api/echo')
    expect(rest).toEqual([])
    for (const sent of [first!, second!]) {
      expect(sent.method).toBe('POST')
      expect(Buffer.from(sent.bodyBytes)).toEqual(Buffer.from(bare.bodyBytes))
      expect(sent.headers['content-type']).toBe(bare.headers['content-type'])
      expect(sent.headers['content-length']).toBe(bare.headers['content-length'])
    }
    expect([first!.generation, second!.generation]).toEqual([1, 2])
  })

  test('a form with a file is sent again byte for byte', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })
    server.expireAccessTokens()

    const answer = await client.post('/api/form', form())

    expect(answer.status).toBe(200)
    const [first, second, ...rest] = to(server.log, '/api/form')
    expect(rest).toEqual([])
    expect(second!.headers['content-type']).toBe(first!.headers['content-type'])
    expect(Buffer.from(second!.bodyBytes).equals(first!.bodyBytes)).toBe(true)
    const received = await new Response(second!.bodyBytes.slice(), {
      headers: { 'content-type': second!.headers['content-type']! },
    }).formData()
    expect(received.get('name')).toBe('Ädä\r\n--x')
    const file = received.get('file') as File
    expect([file.name, file.type]).toEqual(['pix "1".png', 'image/png'])
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(BINARY)
  })

  test('both sendings have the headers of the caller', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })
    server.expireAccessTokens()

    await client.post('/api/echo', 'text', { headers: { 'Content-Type': 'text/x-own', 'X-Trace': 'abc' } })

    const sent = to(server.log, '/api/echo')
    expect(sent.map(({ headers }) => [headers['content-type'], headers['x-trace']])).toEqual([
      ['text/x-own', 'abc'],
      ['text/x-own', 'abc'],
    ])
  })
})

describe.each(transports)('$name: forms', ({ create }) => {
  test('a form with awkward names and values is encoded byte for byte as by the platform', async () => {
    const { server, url, signedIn } = await setUp()
    const client = create(await signedIn(), { origin: url })

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(awkward, awkward, fc.boolean()), { maxLength: 4 }),
        async (fields) => {
          const form = new FormData()
          for (const [name, value, isFile] of fields) {
            if (isFile) form.append(name, new Blob([value]), `f${value}`)
            else form.append(name, value)
          }
          await client.post('/api/form', form)
          const { headers, bodyBytes } = server.log.at(-1)!
          const platform = new Response(form)
          const boundaryOf = (type: string | null | undefined) => /boundary=(.+)$/.exec(type ?? '')?.[1] ?? ''
          const ours = boundaryOf(headers['content-type'])
          const expected = Buffer.from(await platform.arrayBuffer()).toString('latin1')
          expect(ours).toMatch(/^[-a-z0-9]{32}$/)
          expect(Buffer.from(bodyBytes).toString('latin1').replaceAll(ours, 'b').trimEnd()).toBe(
            expected.replaceAll(boundaryOf(platform.headers.get('content-type')), 'b').trimEnd(),
          )
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('fetch: a form with the caller’s own content type', () => {
  test('a form is sent with the caller’s own content type, as by the bare client', async () => {
    const { server, url, signedIn } = await setUp()
    const send = createAuthFetch(await signedIn(), { origins: [url] })
    const headers = { 'Content-Type': 'multipart/form-data; boundary=own' }

    await send(`${url}/api/form`, { method: 'POST', body: form(), headers })

    expect(to(server.log, '/api/form')[0]!.headers['content-type']).toBe(headers['Content-Type'])
  })
})
