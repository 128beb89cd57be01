import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { GATE } from '../../src/core/auth.ts'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import type { TestAuth } from '../conformance/harness.ts'
import { closeGate } from '../transports/support.ts'
import { begin, codeOf, outcome, PLAIN, storiesOf, watching } from './inspect-requests-rig.ts'

describe('inspectRequests', () => {
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
})
