import { describe, expect, it } from 'vitest'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { angularTransport } from '../conformance/angular-transport.ts'
import { setUp } from '../conformance/harness.ts'
import { transports as ours } from '../conformance/transports.ts'
import { closeGate, deferred, startOrigin } from '../transports/support.ts'
import { connected } from '../worker/in-process.ts'
import { begin, PLAIN, watching } from './inspect-requests-harness.ts'

describe.each([...ours, angularTransport])('inspectRequests, $name', ({ create, givesRefusalsAs }) => {
  it('reports a request from its arrival to its end', async () => {
    const { signedIn, url } = await setUp()
    const auth = await signedIn()
    let time = 0
    const { frames, stories, seen } = watching(auth, { now: () => ++time })

    expect((await create(auth, { origin: url }).get('/api/me')).status).toBe(200)
    await seen('done')

    expect(stories()).toEqual([['arrived GET /api/me', 'sent', 'answered 200', 'done']])
    expect(frames[0]).toEqual({ type: 'arrived', id: frames[0]?.id, at: 1, name: 'GET /api/me', origin: url })
    expect(frames.map(({ at }) => at)).toEqual([1, 2, 3, 4])
    expect(new Set(frames.map(({ id }) => id)).size).toBe(1)
  })

  it('reports requests that get a 401, are held and are replayed together', async () => {
    const { signedIn, url, server, refresh } = await setUp()
    const gate = deferred()
    const auth = await signedIn({
      refresh: async (request) => {
        await gate.promise
        return refresh(request)
      },
    })
    const { stories, seen } = watching(auth)
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    const answers = Promise.all(['/api/a', '/api/b', '/api/c'].map((path) => client.post(path, { n: 1 })))
    await seen('held', 3)
    gate.resolve()

    expect((await answers).map(({ status }) => status)).toEqual([200, 200, 200])
    await seen('done', 3)
    const rest = ['sent', 'answered 401', 'held', 'replayed', 'answered 200', 'done']
    expect(stories().map((story) => story.slice(1))).toEqual([rest, rest, rest])
    expect(stories().map(([arrived]) => arrived)).toEqual([
      'arrived POST /api/a',
      'arrived POST /api/b',
      'arrived POST /api/c',
    ])
    expect(server.refreshes).toBe(1)
  })

  it('reports a request that arrives while others are held, but none that was held before', async () => {
    const { auth, url, open, first } = await closeGate()
    const { stories, seen } = watching(auth)

    const answer = create(auth, { origin: url }).get('/api/later')
    await seen('held')
    expect(stories()).toEqual([['arrived GET /api/later', 'held']])
    open()

    expect((await answer).status).toBe(200)
    expect((await first).status).toBe(200)
    await seen('done')
    expect(stories()).toEqual([['arrived GET /api/later', 'held', 'sent', 'answered 200', 'done']])
  })

  it('reports no hold if a late 401 finds a newer token', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const { stories, seen } = watching(auth)
    const held = server.holdApiNext(({ path }) => path === '/api/late')

    const late = client.get('/api/late')
    await held.arrived
    server.expireAccessTokens()
    await client.get('/api/other')
    held.answer({ check: 'release' })

    expect((await late).status).toBe(200)
    await seen('done', 2)
    expect(stories()[0]).toEqual([
      'arrived GET /api/late',
      'sent',
      'answered 401',
      'replayed',
      'answered 200',
      'done',
    ])
  })

  it('reports a second 401, which the caller receives', async () => {
    const { signedIn, url } = await setUp()
    const auth = await signedIn()
    const { stories, seen } = watching(auth)

    const answer = await create(auth, { origin: url }).get('/api/always-401')
    await seen('done')

    expect([answer.status, answer.givenAs]).toEqual([401, givesRefusalsAs])
    expect(stories()).toEqual([
      ['arrived GET /api/always-401', 'sent', 'answered 401', 'held', 'replayed', 'answered 401', 'done'],
    ])
  })

  it('reports no request that does not belong to the session', async () => {
    const { signedIn, url } = await setUp()
    const foreign = await startOrigin(() => ({ status: 200, body: '{}' }))
    const auth = await signedIn()
    const client = create(auth, { origin: url, exclude: (url) => url.endsWith('/api/excluded') })
    const { frames } = watching(auth)

    await client.get(`${foreign.url}/a`)
    await client.get('/api/own', { headers: { authorization: 'Basic YTpi' } })
    await client.get('/api/excluded')

    expect(foreign.log).toHaveLength(1)
    expect(frames).toEqual([])
  })

  it('reports a request that is aborted in flight and replayed', async () => {
    const { signedIn } = await setUp()
    const [arrived, never] = [deferred(), deferred()]
    const api = await startOrigin(async ({ url, headers }) => {
      const stale = headers.authorization?.startsWith('Bearer at-1-1-')
      if (stale && url === '/slow') {
        arrived.resolve()
        await never.promise
      }
      return stale ? { status: 401 } : { headers: { 'content-type': 'application/json' }, body: '{}' }
    })
    const auth = await signedIn()
    const client = create(auth, { origin: api.url, abortInFlight: 'safe' })
    const { stories, seen } = watching(auth)

    const slow = client.get('/slow')
    await arrived.promise
    await client.get('/other')

    expect((await slow).status).toBe(200)
    await seen('done', 2)
    expect(stories()[0]).toEqual(['arrived GET /slow', 'sent', 'held', 'replayed', 'answered 200', 'done'])
    never.resolve()
  })
})

describe('inspectRequests', () => {
  it('reports no request that was in flight before, even if another observer saw it arrive', async () => {
    const { auth, get, server } = await begin()
    const first = watching(auth)
    const held = server.holdApiNext()

    const answer = get()
    await held.arrived
    const later = watching(auth)
    first.stop()
    const again = watching(auth)
    held.answer()
    await answer

    expect([first.stories(), later.stories(), again.stories()]).toEqual([[PLAIN.slice(0, 2)], [], []])
  })

  it('reports a request without a token, which is not held', async () => {
    const { auth, get } = await begin()
    await auth.signOut()
    const { stories } = watching(auth)

    expect(await get()).toBe(401)

    expect(stories()).toEqual([['arrived GET /api/me', 'sent', 'answered 401', 'done']])
  })

  it('keeps the requests of two sessions apart', async () => {
    const [one, other] = [await begin(), await begin()]
    const [seen, alsoSeen] = [watching(one.auth), watching(other.auth)]

    await one.get()

    expect([seen.stories(), alsoSeen.stories()]).toEqual([[PLAIN], []])
  })

  it('reports nothing of a session in a worker, and does not affect its requests', async () => {
    const { auth, url } = await begin()
    const page = connected(auth, { origins: [url] })
    await page.ready()
    const frames: RequestFrame[] = []
    const stop = inspectRequests(page, (frame) => frames.push(frame))
    const inWorker = watching(auth)

    const response = await createAuthFetch(page, { origins: [url] })(`${url}/api/me`)

    expect(response.status).toBe(200)
    expect(frames).toEqual([])
    expect(inWorker.stories()).toEqual([PLAIN])
    stop()
    stop()
  })
})
