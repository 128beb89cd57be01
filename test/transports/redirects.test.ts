import axios, { getAdapter } from 'axios'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { type Origin, startOrigin, to } from './support.ts'

const authorizations = ({ log }: Origin) => log.map(({ headers }) => headers.authorization)

describe.each(transports)('$name: redirects', ({ name, create }) => {
  // Its redirects are followed above the session, so that only the request that was refused is replayed.
  const replaysOneHop = name === 'undici'
  // Other platforms do not tell whether a redirect made a POST a GET.
  const knowsMethods = !/fetch adapter|xhr/.test(name)

  test.each([301, 302, 303, 307, 308])('a %i to another origin drops the token', async (status) => {
    const { signedIn, server } = await setUp()
    const foreign = await startOrigin(() => ({ body: '{}' }))
    const api = await startOrigin(() => ({ status, headers: { location: `${foreign.url}/there` } }))
    const client = create(await signedIn(), { origin: api.url })

    expect((await client.post('/here', { n: 1 })).status).toBe(200)

    expect(authorizations(api)).toEqual([expect.stringMatching(/^Bearer at-/)])
    expect(authorizations(foreign)).toEqual([undefined])
    expect(server.tokenRequests).toBe(0)
  })

  test('a POST that a redirect made a GET is not sent again', async () => {
    const { signedIn, server } = await setUp()
    let effects = 0
    // It ends all tokens that were issued before it, as a change of the password does.
    const api = await startOrigin(({ method, headers }) => {
      if (method !== 'POST')
        return { status: headers.authorization?.startsWith('Bearer at-1-1-') ? 401 : 200 }
      effects++
      return { status: 303, headers: { location: '/profile' } }
    })
    const client = create(await signedIn(), { origin: api.url })

    expect((await client.post('/password', { n: 1 })).status).toBe(replaysOneHop ? 200 : 401)

    expect(effects).toBe(1)
    // The next request has a new token.
    await expect.poll(() => server.refreshes).toBe(1)
  })

  test('a redirect to another port of the same host drops the token', async () => {
    const { signedIn } = await setUp()
    const foreign = await startOrigin(() => ({ body: '{}' }))
    const api = await startOrigin(() => ({
      status: 302,
      headers: { location: foreign.url.replace('127.0.0.1', 'localhost') },
    }))
    const client = create(await signedIn(), { origin: api.url.replace('127.0.0.1', 'localhost') })

    await client.get('/here')

    expect([authorizations(api).length, authorizations(foreign)]).toEqual([1, [undefined]])
  })

  test.each([302, 307])(
    'a %i within the origin keeps the token, and a 401 after it leads to a replay',
    async (status) => {
      const { signedIn, server } = await setUp()
      const api = await startOrigin(({ url, headers }) =>
        url === '/here'
          ? { status, headers: { location: '/there' } }
          : headers.authorization?.startsWith('Bearer at-1-1-')
            ? { status: 401 }
            : { body: '{"ok":true}' },
      )
      const client = create(await signedIn(), { origin: api.url })

      const answer = await client.get('/here')

      expect([answer.status, answer.json]).toEqual([200, { ok: true }])
      expect(api.log.map(({ url, headers }) => [url, headers.authorization?.slice(7, 13)])).toEqual([
        ['/here', 'at-1-1'],
        ['/there', 'at-1-1'],
        ...(replaysOneHop ? [] : [['/here', 'at-1-2']]),
        ['/there', 'at-1-2'],
      ])
      expect(server.refreshes).toBe(1)
    },
  )

  test.each(knowsMethods ? ['/there', '/here/'] : ['/here/'])(
    'a 307 of a POST to %s is replayed with its body',
    async (location) => {
      const { signedIn } = await setUp()
      const api = await startOrigin(({ url, headers }) =>
        url === '/here'
          ? { status: 307, headers: { location } }
          : headers.authorization?.startsWith('Bearer at-1-1-')
            ? { status: 401 }
            : { body: '{}' },
      )
      const client = create(await signedIn(), { origin: api.url })

      expect((await client.post('/here', { n: 1 })).status).toBe(200)

      expect(api.log.map(({ method, body }) => [method, String(body)])).toEqual(
        Array(replaysOneHop ? 3 : 4).fill(['POST', '{"n":1}']),
      )
    },
  )

  test('a 401 of another origin after a redirect does not cause a refresh', async () => {
    const { signedIn, server } = await setUp()
    const foreign = await startOrigin(() => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }))
    const api = await startOrigin(() => ({ status: 302, headers: { location: `${foreign.url}/there` } }))
    const auth = await signedIn()
    const client = create(auth, { origin: api.url })

    const answer = await client.get('/here')

    expect(answer.status).toBe(401)
    expect([api.log.length, foreign.log.length, server.tokenRequests]).toEqual([1, 1, 0])
    expect(auth.state).toBe('authenticated')
  })

  test('a step-up challenge of another origin after a redirect emits no event', async () => {
    const { signedIn, server, emitted } = await setUp()
    const foreign = await startOrigin(() => ({
      status: 401,
      headers: { 'www-authenticate': 'Bearer error="insufficient_user_authentication", acr_values="evil"' },
    }))
    const api = await startOrigin(() => ({ status: 302, headers: { location: `${foreign.url}/there` } }))
    const client = create(await signedIn(), { origin: api.url })

    expect((await client.get('/here')).status).toBe(401)

    expect([emitted('stepUpRequired'), server.tokenRequests]).toEqual([[], 0])
  })
})

describe('a page’s relative URLs', () => {
  const startPage = async () => {
    const { signedIn } = await setUp()
    const api = await startOrigin(({ url, headers }) =>
      url === '/here'
        ? { status: 302, headers: { location: '/there' } }
        : headers.authorization?.startsWith('Bearer at-1-1-')
          ? { status: 401 }
          : { body: '{"ok":true}' },
    )
    Object.assign(globalThis, { location: { href: `${api.url}/index.html` } })
    onTestFinished(() => {
      Reflect.deleteProperty(globalThis, 'location')
    })
    return { auth: await signedIn(), absolute: (path: string) => new URL(path, api.url).href }
  }

  test('fetch: a 401 after a redirect of a relative URL leads to a replay', async () => {
    const { auth, absolute } = await startPage()
    const send = createAuthFetch(auth, { fetch: (input, init) => fetch(absolute(input as string), init) })

    expect((await send('/here')).status).toBe(200)
  })

  test('axios: a 401 for a relative URL leads to a replay, with and without a redirect', async () => {
    const { auth, absolute } = await startPage()
    const instance = axios.create({
      adapter: (config) => getAdapter('http')({ ...config, url: absolute(config.url!), proxy: false }),
    })
    attachAuth(instance, auth)

    expect((await instance.get('/here')).data).toEqual({ ok: true })
    expect((await instance.get('/there')).data).toEqual({ ok: true })
  })
})

describe('a given fetch that keeps the token on every redirect', () => {
  /** Follows redirects itself, as node-fetch does, and keeps all headers. */
  const careless: typeof fetch = async (input, init) => {
    const redirect = init?.redirect ?? (input instanceof Request ? input.redirect : 'follow')
    let answer = await fetch(input, { ...init, redirect: 'manual' })
    const headers = init?.headers ?? (input as Request).headers
    for (let hops = 0; redirect === 'follow' && answer.status > 300 && answer.status < 309; hops++) {
      if (hops === 20) throw new Error('too many redirects')
      const next = new URL(answer.headers.get('location')!, answer.url)
      answer = await fetch(next, { headers, redirect: 'manual' })
    }
    return answer
  }

  const ways: readonly (readonly [
    name: string,
    input: (url: string, init?: RequestInit) => [input: string | Request, init?: RequestInit | undefined],
  ])[] = [
    ['a URL', (url, init) => [url, init]],
    ['a Request', (url, init) => [new Request(url, init)]],
    ['a Request with options', (url, init) => [new Request(url, init), { redirect: 'follow' }]],
  ]

  const send = async (origin: Origin) => {
    const { signedIn, server } = await setUp()
    return {
      server,
      send: createAuthFetch(await signedIn(), { origins: [origin.url], fetch: careless }),
    }
  }

  describe.each(ways)('given %s', (_, input) => {
    test.each([301, 302, 303, 307, 308])(
      'a %i to another port or a subdomain, at once or after a hop, has no token and no cookie',
      async (status) => {
        const foreign = await startOrigin(() => ({ status: 401 }))
        const subdomain = foreign.url.replace('127.0.0.1', 'localhost')
        for (const location of [foreign.url, subdomain, `//${new URL(foreign.url).host}/x`]) {
          const api = await startOrigin(({ url }) => ({
            status,
            headers: { location: url === '/hop' ? '/last' : location },
          }))
          const own = await send(api)
          for (const path of ['/', '/hop']) {
            const headers = { cookie: 'secret=1', 'x-own': '1' }
            const answer = await own.send(...input(api.url + path, { headers }))
            expect([answer.status, answer.redirected]).toEqual([401, true])
            const { headers: arrived } = foreign.log.at(-1)!
            expect([arrived.authorization, arrived.cookie, arrived['x-own']]).toEqual([
              undefined,
              undefined,
              '1',
            ])
          }
          expect(api.log.map(({ headers }) => headers.authorization?.slice(0, 10))).toEqual(
            Array(3).fill('Bearer at-'),
          )
          // A 401 of a foreign server asks for nothing.
          expect(own.server.tokenRequests).toBe(0)
        }
      },
    )

    test.each([
      [301, 'PUT', 'PUT', 'text'],
      [303, 'PUT', 'GET', ''],
      [307, 'POST', 'POST', 'text'],
      [308, 'PUT', 'PUT', 'text'],
    ])(
      'a %i within the origin of a %s is followed by a %s, and replayed',
      async (status, method, then, body) => {
        const api = await startOrigin(({ url, headers }) =>
          url === '/here'
            ? { status, headers: { location: '/there' } }
            : headers.authorization?.startsWith('Bearer at-1-1-')
              ? { status: 401 }
              : { body: 'ok' },
        )
        const own = await send(api)

        const answer = await own.send(...input(`${api.url}/here`, { method, body: 'text' }))

        expect([answer.status, answer.url, answer.redirected, await answer.text()]).toEqual([
          200,
          `${api.url}/there`,
          true,
          'ok',
        ])
        expect(api.log.map(({ url, method: sent, body: bytes }) => [url, sent, String(bytes)])).toEqual([
          ['/here', method, 'text'],
          ['/there', then, body],
          ['/here', method, 'text'],
          ['/there', then, body],
        ])
        expect(api.log[1]!.headers['content-type']).toBe(
          then === 'GET' ? undefined : 'text/plain;charset=UTF-8',
        )
      },
    )

    test.each([301, 302, 303])('a POST that a %i made a GET is not sent again', async (status) => {
      const api = await startOrigin(({ url }) =>
        url === '/here' ? { status, headers: { location: '/there' } } : { status: 401 },
      )
      const own = await send(api)

      const answer = await own.send(...input(`${api.url}/here`, { method: 'POST', body: 'text' }))

      expect(answer.status).toBe(401)
      expect(api.log.map(({ method, url }) => [method, url])).toEqual([
        ['POST', '/here'],
        ['GET', '/there'],
      ])
    })

    test('redirects that the caller follows, and loops, are left to the given fetch', async () => {
      const api = await startOrigin(({ url }) => ({ status: 302, headers: { location: `${url}x` } }))
      const own = await send(api)

      const [target] = input(`${api.url}/a`)
      expect((await own.send(target, { redirect: 'manual' })).status).toBe(302)
      expect(api.log).toHaveLength(1)
      await expect(own.send(...input(`${api.url}/a`))).rejects.toThrow('too many redirects')
    })
  })
})

/** A header as a server writes it that sends its text in UTF-8. */
const inUTF8 = (text: string) => Buffer.from(text).toString('latin1')

test.each([inUTF8('/caf\u00e9'), inUTF8('/\u4e2d/\ud83d\ude00?\u00fc'), '/caf\u00e9', '/caf%C3%A9'])(
  'fetch: a POST that is redirected to %j arrives where the bare client does',
  async (location) => {
    const { signedIn } = await setUp()
    const api = await startOrigin(({ url }) =>
      url === '/from' ? { status: 303, headers: { location } } : { body: 'there' },
    )
    const facts = async (send: typeof fetch) => {
      const answer = await send(`${api.url}/from`, { method: 'POST', body: 'x' })
      const copy = answer.clone()
      const again = copy.clone()
      const all = [answer, copy, again].map(({ url, redirected, type }) => [url, redirected, type])
      return [...all, await answer.text(), await copy.text(), await again.text()]
    }

    const bare = await facts(fetch)
    expect(await facts(createAuthFetch(await signedIn(), { origins: [api.url] }))).toEqual(bare)
    expect(api.log.at(-1)?.url).toBe(api.log.at(1)?.url)
  },
)

describe.each([
  ['the platform’s fetch', undefined],
  ['a given fetch', ((...args) => fetch(...args)) as typeof fetch],
])('%s: a Request with a body', (_, given) => {
  test.each(['POST', 'PUT'])('a %s that is sent again keeps its body over redirects', async (method) => {
    const { signedIn } = await setUp()
    const foreign = await startOrigin(({ url }) =>
      url === '/1' ? { status: 307, headers: { location: '/2' } } : { body: '' },
    )
    const api = await startOrigin(({ headers }) =>
      headers.authorization?.startsWith('Bearer at-1-1-')
        ? { status: 401 }
        : { status: 307, headers: { location: `${foreign.url}/1` } },
    )
    const send = createAuthFetch(await signedIn(), { origins: [api.url], ...(given && { fetch: given }) })
    const request = new Request(`${api.url}/0`, { method, body: 'text', headers: { 'content-type': 'a/b' } })

    expect((await send(request)).status).toBe(200)

    const sent = [...api.log, ...foreign.log].map(({ url, body, headers }) => [
      url,
      String(body),
      headers['content-type'],
    ])
    expect(sent).toEqual(['/0', '/0', '/1', '/2'].map((url) => [url, 'text', 'a/b']))
  })
})

describe('a redirect that a given fetch leaves to the session', () => {
  const redirected = async (location: string) => {
    const { signedIn } = await setUp()
    const sent: string[] = []
    const send = async (input: string | URL | Request) => {
      sent.push(String(input))
      return sent.length > 1 ? new Response() : new Response(null, { status: 302, headers: { location } })
    }
    const api = createAuthFetch(await signedIn(), {
      origins: ['https://api.example.com'],
      fetch: send as typeof fetch,
    })
    return { sent, answer: api('https://api.example.com/a') }
  }

  test.each(['data:text/plain,x', 'file:///etc/passwd', 'blob:https://api.example.com/x', 'about:blank'])(
    'is not followed to %s',
    async (location) => {
      const { sent, answer } = await redirected(location)
      await expect(answer).rejects.toThrow(TypeError)
      expect(sent).toEqual(['https://api.example.com/a'])
    },
  )

  test('within its origin is followed without the password of its URL', async () => {
    const { sent, answer } = await redirected('https://a:b@api.example.com/x')
    expect((await answer).status).toBe(200)
    expect(sent.at(-1)).toBe('https://api.example.com/x')
  })
})

describe('axios (http adapter): redirects', () => {
  test('a redirect from a host to its subdomain drops the token', async () => {
    const { signedIn } = await setUp()
    const foreign = await startOrigin(() => ({ body: '{}' }))
    const api = await startOrigin(() => ({
      status: 302,
      headers: { location: `http://sub.localhost:${foreign.port}/there` },
    }))
    const instance = axios.create({
      baseURL: `http://localhost:${api.port}`,
      adapter: 'http',
      proxy: false,
      lookup: (_host: string, _options: object, found: (error: null, address: string, family: 4) => void) =>
        found(null, '127.0.0.1', 4),
    })
    attachAuth(instance, await signedIn())

    expect((await instance.get('/here')).status).toBe(200)

    expect(authorizations(api)).toEqual([expect.stringMatching(/^Bearer at-/)])
    expect(authorizations(foreign)).toEqual([undefined])
  })

  /** Before axios 1.13, only `beforeRedirect` keeps the header from a subdomain. */
  test.each([
    ['a subdomain', (api: URL) => `http://sub.${api.host}/x`, false],
    ['another port', (api: URL) => `http://${api.hostname}:1/x`, false],
    ['another scheme', (api: URL) => `https://${api.host}/x`, false],
    ['the same origin', (api: URL) => `${api.origin}/x`, true],
  ])('to %s: what beforeRedirect leaves of the header', async (_, target, keeps) => {
    const { signedIn, url } = await setUp()
    let before: ((options: { href: string; headers: Record<string, string> }) => void) | undefined
    const theirs: unknown[] = []
    const instance = axios.create({
      baseURL: url,
      beforeRedirect: (options) => theirs.push({ ...options.headers }),
      adapter: (config) => {
        before = config.beforeRedirect as never
        return getAdapter('http')({ ...config, proxy: false })
      },
    })
    attachAuth(instance, await signedIn())
    await instance.get('/api/a')
    const headers = { AUTHORIZATION: 'Bearer secret', 'x-a': '1' }

    before?.({ href: target(new URL(url)), headers })

    expect(headers).toEqual({ ...(keeps && { AUTHORIZATION: 'Bearer secret' }), 'x-a': '1' })
    expect(theirs).toEqual([headers])
  })

  test('the caller’s own beforeRedirect runs for every hop, after the token was removed', async () => {
    const { signedIn, url, server } = await setUp()
    const foreign = await startOrigin(() => ({ body: '{}' }))
    const hops: unknown[] = []
    const instance = axios.create({
      baseURL: url,
      adapter: 'http',
      proxy: false,
      beforeRedirect: ({ href, headers }) =>
        hops.push([href, Object.keys(headers).includes('Authorization')]),
    })
    attachAuth(instance, await signedIn())

    await instance.get(`/api/redirect?to=${encodeURIComponent(`${foreign.url}/there`)}`)

    expect(hops).toEqual([[`${foreign.url}/there`, false]])
    expect(to(server.log, '/api/redirect')).toHaveLength(1)
  })
})
