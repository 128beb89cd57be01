import { describe, expect, test } from 'vitest'
import type { AuthOptions, TokenResponse } from '../../src/index.ts'
import { setUp, times } from './harness.ts'
import { transports } from './transports.ts'

describe.each(transports)('$name: held requests are released', ({ create }) => {
  /** The most requests of that generation that the server had in hand at once. */
  const watch = ({ server }: Awaited<ReturnType<typeof setUp>>, watched: number) => {
    const seen = { most: 0 }
    void server.whenRequest(({ generation }) => {
      const open = server.log.filter((entry) => entry.generation === watched && entry.status === 0).length
      if (generation === watched) seen.most = Math.max(seen.most, open)
      return false
    })
    return seen
  }

  test('no more of them are in flight at once than release.concurrency allows', async () => {
    const bench = await setUp()
    const { server, url, signedIn, apiLog } = bench
    const client = create(await signedIn({ release: { concurrency: 2 } }), { origin: url })
    const seen = watch(bench, 2)
    server.expireAccessTokens()
    server.tokenDelay = 50

    const answers = await Promise.all(times(20, () => client.get('/api/slow?ms=20')))

    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(seen.most).toBe(2)
    expect([server.refreshes, apiLog().length]).toEqual([1, 40])
  })

  test('requests that fail, and requests whose caller leaves, make room for the next', async () => {
    const { server, url, createAuth, apiLog } = await setUp()
    const auth = createAuth({
      initialTokens: { ...server.issue(), expires_in: 0 },
      release: { concurrency: 2 },
    })
    const client = create(auth, { origin: url })
    const abort = new AbortController()
    void server.whenRequest(({ path }) => {
      if (path === '/api/slow') abort.abort(new Error('The caller left'))
      return false
    })

    const doomed = Promise.allSettled(
      times(4, () => client.get('/api/slow?ms=10000', { signal: abort.signal })),
    )
    const refused = times(5, () => client.get('/api/always-401'))
    const answered = times(5, () => client.get('/api/x'))

    expect((await doomed).map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    expect((await Promise.all(refused)).map(({ status }) => status)).toEqual(Array(5).fill(401))
    expect((await Promise.all(answered)).map(({ status }) => status)).toEqual(Array(5).fill(200))
    expect(apiLog().filter(({ path }) => path === '/api/x')).toHaveLength(5)
    expect(auth.state).toBe('authenticated')
  })

  test('all of them go at once where nothing else is asked for', async () => {
    const bench = await setUp()
    const { server, url, createAuth } = bench
    const auth = createAuth({ initialTokens: { ...server.issue(), expires_in: 0 } })
    const client = create(auth, { origin: url })
    const seen = watch(bench, 2)

    await Promise.all(times(20, () => client.get('/api/slow?ms=300')))

    expect(seen.most).toBe(20)
  })
})

describe.each(transports)('$name: the refresh token lives in a cookie', ({ create, givesRefusalsAs }) => {
  /** A `refresh` that has the cookie jar a browser would have. */
  const cookieRefresh = (url: string, jar: { cookie: string }): AuthOptions['refresh'] => {
    return async ({ refreshToken, signal }) => {
      expect(refreshToken).toBeUndefined()
      const response = await fetch(`${url}/token`, {
        method: 'POST',
        headers: { cookie: jar.cookie },
        body: new URLSearchParams({ grant_type: 'refresh_token', cookie: '1' }),
        signal,
      })
      if (!response.ok) throw response
      jar.cookie = response.headers.get('set-cookie')?.split(';')[0] ?? jar.cookie
      return (await response.json()) as TokenResponse
    }
  }

  test('a good cookie signs in silently, and renews from then on', async () => {
    const { server, url, createAuth, apiLog, emitted } = await setUp()
    const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
    const auth = createAuth({ refresh: cookieRefresh(url, jar), silentSignIn: true })
    const client = create(auth, { origin: url })
    const held = times(5, () => client.get('/api/x'))

    await auth.ready()
    expect(auth.state).toBe('authenticated')
    for (const answer of await Promise.all(held)) expect(answer).toMatchObject({ json: { generation: 2 } })

    server.expireAccessTokens()
    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 3 } })
    expect([server.refreshes, server.reuseDetections]).toEqual([2, 0])
    expect(apiLog()).toHaveLength(7)
    expect(emitted('signedIn')).toHaveLength(1)
  })

  test.each([
    ['no cookie', ''],
    ['a cookie the server does not know', 'refresh_token=rt-forged'],
  ])('%s leaves everyone anonymous', async (_, cookie) => {
    const { server, url, createAuth, apiLog, emitted } = await setUp()
    const auth = createAuth({ refresh: cookieRefresh(url, { cookie }), silentSignIn: true })
    const client = create(auth, { origin: url })
    const held = times(5, () => client.get('/api/x'))

    await auth.ready()

    expect(auth.state).toBe('anonymous')
    for (const answer of await Promise.all(held)) {
      expect(answer).toMatchObject({ status: 401, givenAs: givesRefusalsAs })
    }
    expect(apiLog().map(({ authorization }) => authorization)).toEqual(Array(5).fill(undefined))
    expect(server.tokenRequests).toBe(1)
    expect(emitted('expired')).toEqual([])
  })

  test('a server that fails at first is asked again before anyone counts as anonymous', async () => {
    const { server, url, createAuth } = await setUp()
    const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
    server.failNext(2)
    const auth = createAuth({ refresh: cookieRefresh(url, jar), silentSignIn: true })

    expect(await create(auth, { origin: url }).get('/api/x')).toMatchObject({ status: 200 })
    expect([auth.state, server.tokenRequests]).toEqual(['authenticated', 3])
  })

  test('without silentSignIn nobody is asked at the start', async () => {
    const { server, url, createAuth } = await setUp()
    const jar = { cookie: `refresh_token=${server.issue().refresh_token}` }
    const auth = createAuth({ refresh: cookieRefresh(url, jar) })
    await auth.ready()

    expect(await create(auth, { origin: url }).get('/api/x')).toMatchObject({ status: 401 })
    expect([auth.state, server.tokenRequests]).toEqual(['anonymous', 0])
  })
})
