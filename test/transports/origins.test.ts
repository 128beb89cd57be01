import { describe, expect, test } from 'vitest'
import { outcomes, setUp } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'
import { closeGate, type Origin, startOrigin, to } from './support.ts'

/** A foreign server, which logs its requests. */
const startForeign = () => startOrigin(() => ({ status: 401, body: '{}' }))

const tokens = ({ log }: Origin) =>
  log.map(({ headers }) => headers.authorization).filter((value) => value?.startsWith('Bearer'))

describe.each(transports)('$name: where the token goes', ({ create }) => {
  test('a request to a foreign origin has no token, does not wait, and its 401 is returned to the caller', async () => {
    const { url, auth, open, first, server } = await closeGate()
    const foreign = await startForeign()
    const client = create(auth, { origin: url })

    const answer = await client.get(`${foreign.url}/api/a`)

    expect([answer.status, foreign.log.length, tokens(foreign)]).toEqual([401, 1, []])
    expect([auth.state, server.tokenRequests]).toEqual(['refreshing', 0])
    open()
    expect((await first).status).toBe(200)
  })

  test('origins adds origins, whatever path, slash or case they are written with', async () => {
    const { url, signedIn } = await setUp()
    const [named, asURL, shouted, stranger] = await Promise.all([1, 2, 3, 4].map(startForeign))
    const client = create(await signedIn({}), {
      origin: url,
      origins: [`${named!.url}/`, new URL('/some/path?q', asURL!.url), shouted!.url.replace('http', 'HTTP')],
    })

    for (const { url: other } of [named!, asURL!, shouted!, stranger!]) await client.get(`${other}/x`)

    expect([named!, asURL!, shouted!, stranger!].map((origin) => tokens(origin).length > 0)).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  test('two allowed servers share one session: a 401 of either costs one refresh', async () => {
    const { url, signedIn, server } = await setUp()
    const second = await startOrigin(({ headers }) =>
      headers.authorization?.startsWith('Bearer at-1-1-') ? { status: 401 } : { body: '{}' },
    )
    const client = create(await signedIn(), { origin: url, origins: [second.url] })
    server.expireAccessTokens()

    const answers = await Promise.all([client.get('/api/a'), client.get(`${second.url}/b`)])

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(server.refreshes).toBe(1)
  })

  test('localhost and 127.0.0.1 are two origins, and so are two ports', async () => {
    const { url, signedIn, server } = await setUp()
    const client = create(await signedIn(), { origin: url })
    const { port } = new URL(url)

    expect((await client.get(`http://localhost:${port}/api/a`)).status).toBe(401)

    expect(to(server.log, '/api/a')).toHaveLength(1)
    expect(to(server.log, '/api/a')[0]).not.toHaveProperty('authorization')
    expect(server.tokenRequests).toBe(0)
  })

  test('exclude sends requests unchanged and at once', async () => {
    const { url, auth, server, open, first } = await closeGate()
    const asked: string[] = []
    const client = create(auth, {
      origin: url,
      exclude: (target) => {
        asked.push(target)
        return target.includes('/public')
      },
    })

    expect((await client.get('/public?x=1')).status).toBe(200)

    expect(to(server.log, '/public')[0]).not.toHaveProperty('authorization')
    expect(asked).toEqual([`${url}/public?x=1`])
    open()
    await first
    expect((await client.get('/api/a')).status).toBe(200)
  })

  const tricks: readonly (readonly [name: string, make: (allowed: URL, foreign: URL) => string])[] = [
    ['the allowed host as a user', (allowed, foreign) => `http://${allowed.host}@${foreign.host}/x`],
    ['the allowed host as user and password', (allowed, foreign) => `${allowed.origin}:pw@${foreign.host}/x`],
    ['protocol-relative', (_, foreign) => `//${foreign.host}/x`],
    ['protocol-relative with backslashes', (_, foreign) => `\\\\${foreign.host}/x`],
    ['a slash and a backslash', (_, foreign) => `/\\${foreign.host}/x`],
    ['backslashes for slashes', (_, foreign) => `http:\\\\${foreign.host}\\x`],
    ['one slash', (_, foreign) => `http:/${foreign.host}/x`],
    ['no slash', (_, foreign) => `http:${foreign.host}/x`],
    ['many slashes', (_, foreign) => `http:////${foreign.host}/x`],
    ['a tab in front', (_, foreign) => `\thttp://${foreign.host}/x`],
    ['a newline in the scheme', (_, foreign) => `ht\ntp://${foreign.host}/x`],
    ['a newline in the host', (allowed, foreign) => `${allowed.origin}\n@${foreign.host}/x`],
    ['a tab before the slash', (allowed, foreign) => `${allowed.origin}\t@${foreign.host}/x`],
    ['capitals', (_, foreign) => `HTTP://${foreign.host}/x`],
    ['the allowed origin in the query', (allowed, foreign) => `${foreign.origin}/?${allowed.origin}/`],
    ['the allowed origin in the fragment', (allowed, foreign) => `${foreign.origin}/#${allowed.origin}/`],
    ['a port that goes on', (allowed, foreign) => `${allowed.origin}0@${foreign.host}/x`],
    ['an at-sign in the path', (allowed, foreign) => `${allowed.origin}/@${foreign.host}/x`],
    ['a backslash before an at-sign', (allowed, foreign) => `${allowed.origin}\\@${foreign.host}/x`],
    ['dots that climb', (_, foreign) => `/../../../${foreign.host}/x`],
  ]

  test('no spelling of a URL sends the token to a foreign server', async () => {
    const { url, signedIn, server } = await setUp()
    const foreign = await startForeign()
    const client = create(await signedIn(), { origin: url })
    const written = tricks.map(([, make]) => make(new URL(url), new URL(foreign.url)))

    for (const target of written) {
      await outcomes([client.request(target, { own: { url: target } })])
      expect(tokens(foreign), JSON.stringify(target)).toEqual([])
    }

    // Some of the URLs do lead to the foreign server; otherwise this test would prove nothing.
    expect(foreign.log.length).toBeGreaterThanOrEqual(3)
    expect(server.tokenRequests).toBe(0)
  })
})
