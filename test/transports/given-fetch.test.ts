import { Readable } from 'node:stream'
import nodeFetch, { FetchError } from 'node-fetch'
import * as undici from 'undici'
import { describe, expect, test } from 'vitest'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp } from '../conformance/harness.ts'
import { type Origin, startOrigin } from './support.ts'

const packages = [
  ['undici', undici.fetch as unknown as typeof fetch],
  ['node-fetch', nodeFetch as unknown as typeof fetch],
] as const

const over = async (fetch: typeof globalThis.fetch, { url }: Origin) => {
  const { signedIn } = await setUp()
  const send = createAuthFetch(await signedIn(), { origins: [url], fetch })
  return (path: string, init?: object) => send(url + path, init)
}

/** Each path leads to the next: `/0` to `/1`, and so on. */
const chain = (headers: Record<string, string> = {}) =>
  startOrigin(({ url }) => ({
    status: 302,
    headers: { location: `/${Number(url.slice(1)) + 1}`, ...headers },
  }))

describe.each(packages)('the fetch of %s', (name, fetch) => {
  test('stops after twenty redirects with an error of its own', async () => {
    const origin = await chain()
    const send = await over(fetch, origin)

    const failure = await send('/0').catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(name === 'undici' ? TypeError : FetchError)
    expect(origin.log.length).toBe(21)
  })

  test.each([
    ['origin', (url: string) => `${url}/`],
    ['nonsense, no-referrer, ', () => undefined],
    ['no-referrer, unsafe-url, nonsense', (url: string) => `${url}/page?a=1`],
    ['nonsense', (url: string) => `${url}/page?a=1`],
  ])('takes the referrer policy %j of a redirect', async (policy, expected) => {
    const origin = await startOrigin(({ url }) =>
      url === '/there' ? {} : { status: 302, headers: { location: '/there', 'referrer-policy': policy } },
    )
    const send = await over(fetch, origin)

    await send('/here', { referrer: `${origin.url}/page?a=1` })

    expect(origin.log.map(({ url, headers }) => [url, headers.referer])).toEqual([
      ['/here', `${origin.url}/page?a=1`],
      ['/there', expected(origin.url)],
    ])
  })

  test('sends no empty body if a redirect asks again for a stream', async () => {
    const origin = await startOrigin(() => ({ status: 307, headers: { location: '/there' } }))
    const send = await over(fetch, origin)
    const body = Readable.from(['text'])

    await expect(send('/here', { method: 'POST', body, duplex: 'half' })).rejects.toThrow(TypeError)

    expect(origin.log.map(({ body: sent }) => `${sent}`)).toEqual(['text'])
  })
})

test.each([0, 1, 3])('node-fetch follows as many redirects as its option says: %i', async (follow) => {
  const origin = await chain()
  const send = await over(nodeFetch as unknown as typeof fetch, origin)

  await expect(send('/0', { follow })).rejects.toBeInstanceOf(FetchError)

  expect(origin.log.map(({ headers }) => headers.authorization?.slice(0, 10))).toEqual(
    Array(follow + 1).fill('Bearer at-'),
  )
})

test('node-fetch follows more redirects than a platform if its option says so', async () => {
  const origin = await startOrigin(({ url }) => {
    const count = Number(url.slice(1))
    return count === 25 ? {} : { status: 302, headers: { location: `/${count + 1}` } }
  })
  const send = await over(nodeFetch as unknown as typeof fetch, origin)

  expect((await send('/0', { follow: 30 })).status).toBe(200)

  expect(origin.log.at(-1)!.headers.authorization).toMatch(/^Bearer at-/)
})

test('an object with methods of headers is not changed', async () => {
  const send = await over(undici.fetch as unknown as typeof fetch, await startOrigin(() => ({})))
  const methods = {
    append() {},
    has: () => false,
    set(this: Record<string, unknown>, name: string, value: string) {
      this[name] = value
    },
  }

  for (const headers of [{ ...methods }, Object.assign(Object.create(null), methods)]) {
    await send('/', { headers }).catch(() => {})
    expect(headers).toEqual(methods)
  }
})

test('headers of undici keep the case of their names', async () => {
  let names: string[] = []
  const origin = await startOrigin((_, { req }) => {
    names = req.rawHeaders
    return {}
  })
  const send = await over(undici.fetch as unknown as typeof fetch, origin)

  await send('/', { headers: new undici.Headers({ 'X-Trace': 'a' }) })

  expect(names).toContain('X-Trace')
})
