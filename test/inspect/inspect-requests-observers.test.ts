import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { REQUEST_GATE } from '../../src/core/auth.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import type { TestAuth } from '../conformance/harness.ts'
import { closeGate } from '../transports/support.ts'
import { begin, codeOf, outcome, PLAIN, storiesOf, watching } from './inspect-requests-harness.ts'

describe('inspectRequests', () => {
  it('notifies every observer even if one throws, and reports the error', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => consoleError.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('observer')
    const one = watching(auth)
    const stop = inspectRequests(auth, () => {
      throw error
    })
    const other = watching(auth)

    expect(await get()).toBe(200)

    expect([one.stories(), other.stories()]).toEqual([[PLAIN], [PLAIN]])
    expect(consoleError.mock.calls).toEqual(PLAIN.map(() => [error]))
    stop()
    expect(await get()).toBe(200)
    expect(consoleError).toHaveBeenCalledTimes(PLAIN.length)
  })

  it('reports the error if the promise of an observer rejects, and continues', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => consoleError.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('observer')
    onTestFinished(inspectRequests(auth, () => Promise.reject(error)))

    expect(await get()).toBe(200)

    expect(consoleError.mock.calls).toEqual(PLAIN.map(() => [error]))
  })

  it.each([
    ['dispose of the session', ({ dispose }: TestAuth) => dispose(), 'disposed'],
    ['sign out', ({ signOut }: TestAuth) => void signOut(), 'signed_out'],
    [
      'set other tokens',
      ({ setTokens }: TestAuth) => void setTokens({ access_token: 'other' }),
      'signed_out',
    ],
  ])('lets an observer %s when a request is held', async (_, act, code) => {
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

  it('lets an observer end the session when a request is sent, and sends nothing after that', async () => {
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

  it('sends requests even if its clock throws, and reports the error', async () => {
    const consoleError = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => consoleError.mockRestore())
    const { auth, get } = await begin()
    const error = new Error('no time')
    const now = () => {
      throw error
    }
    const { frames } = watching(auth, { now })

    expect(await get()).toBe(200)

    expect(frames).toEqual([])
    expect(consoleError.mock.calls).toEqual(PLAIN.map(() => [error]))
  })

  it('stops one observer without affecting others, even if stopped twice', async () => {
    const { auth, get } = await begin()
    const [one, other] = [watching(auth), watching(auth)]

    one.stop()
    one.stop()
    await get()

    expect([one.stories(), other.stories()]).toEqual([[], [PLAIN]])
    expect(auth[REQUEST_GATE].watch).toBeDefined()
    other.stop()
    one.stop()
    expect(auth[REQUEST_GATE].watch).toBeUndefined()
    expect(await get()).toBe(200)
  })

  it('starts again after it was stopped', async () => {
    const { auth, get } = await begin()
    watching(auth).stop()
    const again = watching(auth)

    await get()

    expect(again.stories()).toEqual([PLAIN])
  })

  it('treats the same function as two observers if it is given twice', async () => {
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

  it('can be stopped from inside an observer', async () => {
    const { auth, get } = await begin()
    const frames: RequestFrame[] = []
    const stop = inspectRequests(auth, (frame) => {
      frames.push(frame)
      if (frame.type === 'sent') stop()
    })

    expect(await get()).toBe(200)

    expect(storiesOf(frames)).toEqual([PLAIN.slice(0, 2)])
    expect(auth[REQUEST_GATE].watch).toBeUndefined()
  })

  it('completes requests in flight after the last observer stops', async () => {
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

  it('lets an observer send a request of its own, which is reported like any other', async () => {
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
