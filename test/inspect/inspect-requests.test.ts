import axios, { type AxiosError, CanceledError } from 'axios'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { GATE } from '../../src/core/auth.ts'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { AuthError } from '../../src/core/errors.ts'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { angularTransport } from '../conformance/angular-transport.ts'
import { nextEvent, setUp, type TestAuth } from '../conformance/harness.ts'
import { type Answer, transports as ours } from '../conformance/transports.ts'
import { closeGate, deferred, startOrigin, TOKEN_MARKER, to } from '../transports/support.ts'
import { connected } from '../worker/in-process.ts'

const transports = [...ours, angularTransport]

const wordOf = (frame: RequestFrame) => {
  if (frame.type === 'arrived') return `arrived ${frame.name}`
  if (frame.type === 'answered') return `answered ${frame.status}`
  return frame.type === 'rejected' ? `rejected ${frame.reason}` : frame.type
}

/** What became of each request, one after another. */
function storiesOf(frames: readonly RequestFrame[]): string[][] {
  const stories = new Map<number, string[]>()
  for (const frame of frames) stories.set(frame.id, [...(stories.get(frame.id) ?? []), wordOf(frame)])
  return [...stories.values()]
}

/** Writes down what is seen of a session's requests. */
function watching(auth: TestAuth, options?: Parameters<typeof inspectRequests>[2]) {
  const frames: RequestFrame[] = []
  const waiting = new Set<() => void>()
  const stop = inspectRequests(
    auth,
    (frame) => {
      frames.push(frame)
      for (const look of waiting) look()
    },
    options,
  )
  onTestFinished(stop)
  return {
    frames,
    stop,
    stories: () => storiesOf(frames),
    /** Once so many frames of that kind were seen. */
    seen: (word: string, count = 1) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (frames.filter((frame) => wordOf(frame) === word).length < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
  }
}

const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error)
const leaving = () => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
const codeOf = (error: unknown) => (error instanceof AuthError ? error.code : error)

describe.each(transports)('inspectRequests, $name', ({ create, isAbort, isTimeout, givesRefusalsAs }) => {
  it('shows a request from its arrival to its end', async () => {
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

  it('shows requests that are refused together, wait together and are sent again', async () => {
    const { signedIn, url, server, refresh } = await setUp()
    const door = deferred()
    const auth = await signedIn({
      refresh: async (request) => {
        await door.promise
        return refresh(request)
      },
    })
    const { stories, seen } = watching(auth)
    const client = create(auth, { origin: url })
    server.expireAccessTokens()

    const answers = Promise.all(['/api/a', '/api/b', '/api/c'].map((path) => client.post(path, { n: 1 })))
    await seen('held', 3)
    door.resolve()

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

  it('shows one that comes while others wait, and none that waited before anybody looked', async () => {
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

  it('shows no wait where a 401 comes late, and there is a newer token', async () => {
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

  it('shows who gives up: while it waits, and in flight', async () => {
    const { auth, url, server, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const { stories, seen } = watching(auth)
    const [one, other] = [new AbortController(), new AbortController()]
    const why = new DOMException('enough', 'AbortError')

    const waiting = outcome(client.get('/api/a', { signal: one.signal }))
    await seen('held')
    one.abort(why)
    expect(isAbort(await waiting, why)).toBe(true)
    open()
    await first
    const held = server.holdApiNext()
    const flying = outcome(client.get('/api/b', { signal: other.signal }))
    await held.arrived
    other.abort(why)
    expect(isAbort(await flying, why)).toBe(true)
    await seen('rejected aborted', 2)

    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', 'rejected aborted'],
      ['arrived GET /api/b', 'sent', 'rejected aborted'],
    ])
  })

  it('shows who finds the queue full', async () => {
    const { auth, url, open, first } = await closeGate({ queueLimit: 1 })
    const { stories } = watching(auth)

    expect(codeOf(await outcome(create(auth, { origin: url }).get('/api/a')))).toBe('queue_full')

    expect(stories()).toEqual([['arrived GET /api/a', 'rejected queue_full']])
    open()
    await first
  })

  it('shows whom the end of the session turns away', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const { stories } = watching(auth)
    server.expireAccessTokens()
    server.killRefreshTokens()

    expect(codeOf(await outcome(client.get('/api/a')))).toBe('session_expired')
    expect(codeOf(await outcome(client.get('/api/b')))).toBe('session_expired')

    expect(stories()).toEqual([
      ['arrived GET /api/a', 'sent', 'answered 401', 'held', 'rejected session_expired'],
      ['arrived GET /api/b', 'rejected session_expired'],
    ])
  })

  it('shows a second 401, which is its caller’s', async () => {
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

  it('shows no answer where there is none', async () => {
    const { signedIn } = await setUp()
    const broken = await startOrigin((_, reply) => {
      reply.destroy()
      return undefined
    })
    const auth = await signedIn()
    const { stories } = watching(auth)

    const error = await outcome(create(auth, { origin: broken.url }).post('/a', {}))

    expect([(error as Answer).givenAs, error instanceof AuthError]).toEqual([undefined, false])

    expect(stories()).toEqual([['arrived POST /a', 'sent', 'rejected failed']])
  })

  it('shows nothing that is none of the session’s business', async () => {
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

  it('shows what is aborted in flight to be sent again', async () => {
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

  it('changes no timeout: what waits for too long ends as it does where nobody looks', async () => {
    const { auth, url, server, open, first } = await closeGate()
    const client = create(auth, { origin: url })
    const facts = (error: unknown) => {
      const { name, message, code } = error as AxiosError
      return [isTimeout(error), name, message, code]
    }

    const alone = await outcome(client.get('/api/a', { timeout: 50 }))
    const { stories } = watching(auth)
    const seen = await outcome(client.get('/api/a', { timeout: 50 }))

    expect(facts(seen)).toEqual(facts(alone))
    expect(facts(seen)[0]).toBe(true)
    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', expect.stringMatching(/^rejected (hold_timeout|aborted)$/)],
    ])
    open()
    await first
    expect(to(server.log, '/api/a')).toEqual([])
  })

  it('changes no answer and no error', async () => {
    const answersOf = async (looksOn: boolean) => {
      const { signedIn, url, server } = await setUp()
      const auth = await signedIn()
      if (looksOn) watching(auth)
      const client = create(auth, { origin: url })
      const post = await client.post('/api/post', { n: 1 })
      server.expireAccessTokens()
      const replayed = await client.post('/api/post', { n: 2 })
      const answers = [post, replayed]
      for (const path of ['/api/always-401', '/api/step-up', '/api/forbidden', '/api/empty'])
        answers.push(await client.get(path))
      await auth.signOut()
      const anonymous = await client.get('/api/me')
      auth.dispose()
      const code = codeOf(await outcome(client.get('/api/me')))
      const told = [...answers, anonymous].map(({ status, json, givenAs }) => ({ status, json, givenAs }))
      return { told, code, sent: server.log.map(({ method, path, status }) => [method, path, status]) }
    }

    const alone = await answersOf(false)

    expect(await answersOf(true)).toEqual(alone)
    expect(alone.told.map(({ status }) => status)).toEqual([200, 200, 401, 401, 403, 204, 401])
    expect(alone.code).toBe('disposed')
  })

  it('shows nothing of a query, a header, a body or a token', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const client = create(auth, { origin: url })
    const { frames } = watching(auth)

    server.expireAccessTokens()
    await client.post('/api/a?code=MARKED#MARKED', { secret: 'MARKED' }, { headers: { 'x-key': 'MARKED' } })
    await outcome(client.get(url.replace('//', '//MARKED:MARKED@').concat('/api/b')))
    await auth.signOut()

    expect(frames.length).toBeGreaterThan(5)
    expect(JSON.stringify(frames)).not.toMatch(TOKEN_MARKER)
    expect(JSON.stringify(frames)).not.toContain('MARKED')
    expect(frames[0]).toMatchObject({ name: 'POST /api/a', origin: url })
  })
})

describe('inspectRequests', () => {
  const PLAIN = ['arrived GET /api/me', 'sent', 'answered 200', 'done']

  const begin = async (options?: Parameters<Awaited<ReturnType<typeof setUp>>['signedIn']>[0]) => {
    const bench = await setUp()
    const auth = await bench.signedIn(options)
    const send = createAuthFetch(auth, { origins: [bench.url] })
    const get = async (path = '/api/me', init?: RequestInit) => {
      const response = await send(`${bench.url}${path}`, init)
      await response.text()
      return response.status
    }
    return { ...bench, auth, get }
  }

  it('tells every observer the same, also where one throws, and says that it did', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => told.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('observer')
    const one = watching(auth)
    const stop = inspectRequests(auth, () => {
      throw error
    })
    const other = watching(auth)

    expect(await get()).toBe(200)

    expect([one.stories(), other.stories()]).toEqual([[PLAIN], [PLAIN]])
    expect(told.mock.calls).toEqual(PLAIN.map(() => [error]))
    stop()
    expect(await get()).toBe(200)
    expect(told).toHaveBeenCalledTimes(PLAIN.length)
  })

  it('reports an observer whose promise rejects, and nothing else happens', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => told.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('observer')
    onTestFinished(inspectRequests(auth, () => Promise.reject(error)))

    expect(await get()).toBe(200)

    expect(told.mock.calls).toEqual(PLAIN.map(() => [error]))
  })

  it('shows no request that was under way before, also where somebody else saw it come', async () => {
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

  it('shows no wait of a request that is given up before it could wait', async () => {
    const { auth, url, open, first } = await closeGate()
    const { stories } = watching(auth)
    const signal = AbortSignal.abort(new DOMException('enough', 'AbortError'))

    const error = await outcome(createAuthFetch(auth, { origins: [url] })(`${url}/api/a`, { signal }))

    expect(error).toBe(signal.reason)
    expect(stories()).toEqual([['arrived GET /api/a', 'rejected aborted']])
    open()
    await first
  })

  it.each([
    ['dispose of the session', ({ dispose }: TestAuth) => dispose(), 'disposed'],
    ['sign out', ({ signOut }: TestAuth) => void signOut(), 'signed_out'],
    [
      'bring other tokens',
      ({ setTokens }: TestAuth) => void setTokens({ access_token: 'other' }),
      'signed_out',
    ],
  ])('lets an observer %s when a request begins to wait', async (_, act, code) => {
    const { auth, url, first } = await closeGate()
    const { stories } = watching(auth)
    onTestFinished(
      inspectRequests(auth, ({ type }) => {
        if (type === 'held') act(auth)
      }),
    )

    const error = await outcome(createAuthFetch(auth, { origins: [url] })(`${url}/api/a`))

    expect(codeOf(error)).toBe(code)
    expect(stories()).toEqual([['arrived GET /api/a', 'held', `rejected ${code}`]])
    await outcome(first)
  })

  it('lets an observer end the session when a request is on its way, and nothing goes after that', async () => {
    const { auth } = await begin()
    const sent: string[] = []
    inspectRequests(auth, ({ type }) => {
      if (type === 'sent') void auth.signOut()
    })

    await bearerRequest(auth, {
      async send() {
        sent.push(auth.state)
        return { status: 200 }
      },
      challenge: () => undefined,
      replayable: true,
      key: () => 'GET /a',
    })

    expect(sent).toEqual(['authenticated'])
  })

  it('lets requests go where its clock fails, and says so', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => told.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('no time')
    const now = () => {
      throw error
    }
    const { frames } = watching(auth, { now })

    expect(await get()).toBe(200)

    expect(frames).toEqual([])
    expect(told.mock.calls).toEqual(PLAIN.map(() => [error]))
  })

  it('ends for whoever stops, once or twice, and for nobody else', async () => {
    const { auth, get } = await begin()
    const [one, other] = [watching(auth), watching(auth)]

    one.stop()
    one.stop()
    await get()

    expect([one.stories(), other.stories()]).toEqual([[], [PLAIN]])
    expect(auth[GATE].watch).toBeDefined()
    other.stop()
    one.stop()
    expect(auth[GATE].watch).toBeUndefined()
    expect(await get()).toBe(200)
  })

  it('begins again after it was stopped', async () => {
    const { auth, get } = await begin()
    watching(auth).stop()
    const again = watching(auth)

    await get()

    expect(again.stories()).toEqual([PLAIN])
  })

  it('takes the same function twice for two observers', async () => {
    const { auth, get } = await begin()
    const frames: RequestFrame[] = []
    const observer = (frame: RequestFrame) => void frames.push(frame)
    const [stop, stopOther] = [inspectRequests(auth, observer), inspectRequests(auth, observer)]

    await get()
    expect(frames).toHaveLength(2 * PLAIN.length)
    stop()
    stop()
    await get()
    expect(frames).toHaveLength(3 * PLAIN.length)
    stopOther()
    await get()
    expect(frames).toHaveLength(3 * PLAIN.length)
  })

  it('may be stopped from inside a frame', async () => {
    const { auth, get } = await begin()
    const frames: RequestFrame[] = []
    const stop = inspectRequests(auth, (frame) => {
      frames.push(frame)
      if (frame.type === 'sent') stop()
    })

    expect(await get()).toBe(200)

    expect(storiesOf(frames)).toEqual([PLAIN.slice(0, 2)])
    expect(auth[GATE].watch).toBeUndefined()
  })

  it('goes on with the requests that are under way where nobody looks any more', async () => {
    const { auth, get, server } = await begin()
    const { stop, stories } = watching(auth)
    const held = server.holdApiNext()

    const answer = get()
    await held.arrived
    stop()
    held.answer()

    expect(await answer).toBe(200)
    expect(stories()).toEqual([PLAIN.slice(0, 2)])
  })

  it('lets an observer send a request of its own, which is shown like any other', async () => {
    const { auth, get, server } = await begin()
    const sent: Promise<number>[] = []
    const { stories } = watching(auth)
    let stop = () => {}
    stop = inspectRequests(auth, (frame) => {
      if (frame.type !== 'held') return
      stop()
      sent.push(get('/api/log'))
    })
    server.expireAccessTokens()

    expect(await get()).toBe(200)

    expect(await Promise.all(sent)).toEqual([200])
    expect(stories()).toEqual([
      ['arrived GET /api/me', 'sent', 'answered 401', 'held', 'replayed', 'answered 200', 'done'],
      ['arrived GET /api/log', 'held', 'sent', 'answered 200', 'done'],
    ])
    expect(server.refreshes).toBe(1)
  })

  it('shows whom the end of everything turns away', async () => {
    const { auth, url, first } = await closeGate()
    const { stories, seen } = watching(auth)
    const get = createAuthFetch(auth, { origins: [url] })

    const waiting = outcome(get(`${url}/api/a`))
    await seen('held')
    auth.dispose()

    expect([await waiting, await outcome(get(`${url}/api/b`))].map(codeOf)).toEqual(['disposed', 'disposed'])
    await outcome(first)
    expect(stories()).toEqual([
      ['arrived GET /api/a', 'held', 'rejected disposed'],
      ['arrived GET /api/b', 'rejected disposed'],
    ])
  })

  it('shows a request that goes without a token, and waits no longer than one that does', async () => {
    const { auth, get } = await begin()
    await auth.signOut()
    const { stories } = watching(auth)

    expect(await get()).toBe(401)

    expect(stories()).toEqual([['arrived GET /api/me', 'sent', 'answered 401', 'done']])
  })

  it('tells sessions apart', async () => {
    const [one, other] = [await begin(), await begin()]
    const [seen, alsoSeen] = [watching(one.auth), watching(other.auth)]

    await one.get()

    expect([seen.stories(), alsoSeen.stories()]).toEqual([[PLAIN], []])
  })

  it('shows nothing of a session that lives in a worker, and breaks nothing', async () => {
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

  it.each(['http', 'fetch'] as const)(
    'leaves a sending what the wait has left of axios’s timeout (%s adapter)',
    async (adapter) => {
      const { auth, open } = await closeGate()
      const silent = await startOrigin(() => new Promise<undefined>(() => {}))
      const timeouts: (number | undefined)[] = []
      const send = axios.getAdapter(adapter)
      const instance = axios.create({
        baseURL: silent.url,
        adapter: (config) => {
          timeouts.push(config.timeout)
          return send(config)
        },
      })
      attachAuth(instance, auth)
      const { stories, seen } = watching(auth)

      const { signal, abort } = leaving()
      const call = outcome(instance.get('/never', { timeout: 60_000, signal }))
      await seen('held')
      // What a timeout counts is time.
      setTimeout(open, 100)
      await seen('sent')
      abort()

      expect(await call).toBeInstanceOf(CanceledError)
      expect(timeouts).toHaveLength(1)
      expect(timeouts[0]).toBeLessThan(60_000 - 90)
      expect(timeouts[0]).toBeGreaterThan(0)
      await seen('rejected aborted')
      expect(stories()).toEqual([['arrived GET /never', 'held', 'sent', 'rejected aborted']])
    },
  )

  describe('over a transport of an app’s own', () => {
    const sendBy = (auth: TestAuth, key: string, answer: unknown) =>
      bearerRequest(auth, {
        send: async () => answer,
        challenge: () => undefined,
        replayable: true,
        key: () => key,
      })

    it.each([
      ['GET /books?q=MARKED', 'GET /books', ''],
      [
        'GET https://MARKED:MARKED@api.example.com/books?q=MARKED#MARKED',
        'GET /books',
        'https://api.example.com',
      ],
      ['GET //MARKED@api.example.com/books', 'GET //api.example.com/books', ''],
      ['books', 'books', ''],
      ['//MARKED:MARK@MARKED@api.example.com/books?q=\nMARKED', '//api.example.com/books', ''],
      ['https://MARKED:MARKED@api.example.com/books?q=MARKED', '/books', 'https://api.example.com'],
    ])('names what is called %s', async (key, name, origin) => {
      const { auth } = await begin()
      const { frames } = watching(auth)

      await sendBy(auth, key, { status: 200 })

      expect(frames[0]).toMatchObject({ name, origin })
      expect(JSON.stringify(frames)).not.toContain('MARKED')
    })

    it.each([[undefined], [null], ['text'], [{ status: 'ok' }], [{ response: {} }]])(
      'shows no answer where there is no status in it: %j',
      async (answer) => {
        const { auth } = await begin()
        const { stories } = watching(auth)

        expect(await sendBy(auth, 'GET /a', answer)).toBe(answer)

        expect(stories()).toEqual([['arrived GET /a', 'sent', 'done']])
      },
    )

    it('hands on what it throws, as it is', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)
      const why = { not: 'an error' }
      const send = () => {
        throw why
      }

      const error = await outcome(
        bearerRequest(auth, { send, challenge: () => undefined, replayable: true, key: () => 'GET /a' }),
      )

      expect(error).toBe(why)
      expect(stories()).toEqual([['arrived GET /a', 'sent', 'rejected failed']])
    })

    it('sends what it cannot name', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)

      const answer = await bearerRequest(auth, {
        send: async () => ({ status: 200 }),
        challenge: () => undefined,
        replayable: true,
        key: () => {
          throw new Error('no name')
        },
      })

      expect(answer).toEqual({ status: 200 })
      expect(stories()).toEqual([['arrived ', 'sent', 'answered 200', 'done']])
    })

    it('lets go of answers that nobody is given, asks whether they can be replayed, and steps up', async () => {
      const { auth, server } = await begin()
      const { stories } = watching(auth)
      const discarded: unknown[] = []
      const steps = nextEvent(auth, 'stepUpRequired')
      const answers = [{ status: 401 }, { status: 403 }]
      const sent: (string | undefined)[] = []
      server.reset()

      const answer = await bearerRequest(auth, {
        send: async (authorization) => {
          sent.push(authorization)
          return answers[sent.length - 1]
        },
        challenge: async (given) => (given?.status === 401 ? 'renew' : { scope: 'admin' }),
        replayable: true,
        key: () => 'GET /a',
        discard: (given) => void discarded.push(given),
      })

      expect(answer).toBe(answers[1])
      expect(discarded).toEqual([answers[0]])
      expect(new Set(sent).size).toBe(2)
      expect(await steps).toMatchObject({ scope: 'admin' })
      expect(stories()).toEqual([
        ['arrived GET /a', 'sent', 'answered 401', 'held', 'replayed', 'answered 403', 'done'],
      ])
    })

    it('sends nothing again that cannot be', async () => {
      const { auth } = await begin()
      const { stories } = watching(auth)
      const refreshed = nextEvent(auth, 'refreshed')

      const answer = await bearerRequest(auth, {
        send: async () => ({ status: 401 }),
        challenge: () => 'renew',
        replayable: false,
        key: () => 'POST /a',
      })

      expect(answer).toEqual({ status: 401 })
      expect(stories()).toEqual([['arrived POST /a', 'sent', 'answered 401', 'done']])
      await refreshed
    })
  })
})
