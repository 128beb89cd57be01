/** Sessions whose requests somebody looks at, and what is seen of these. */
import { onTestFinished } from 'vitest'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { AuthError } from '../../src/core/errors.ts'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp, type TestAuth } from '../conformance/harness.ts'

const wordOf = (frame: RequestFrame) => {
  if (frame.type === 'arrived') return `arrived ${frame.name}`
  if (frame.type === 'answered') return `answered ${frame.status}`
  return frame.type === 'rejected' ? `rejected ${frame.reason}` : frame.type
}

/** What became of each request, one after another. */
export function storiesOf(frames: readonly RequestFrame[]): string[][] {
  const stories = new Map<number, string[]>()
  for (const frame of frames) stories.set(frame.id, [...(stories.get(frame.id) ?? []), wordOf(frame)])
  return [...stories.values()]
}

/** Writes down what is seen of a session's requests. */
export function watching(auth: TestAuth, options?: Parameters<typeof inspectRequests>[2]) {
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

export const outcome = (call: Promise<unknown>) => call.catch((error: unknown) => error)
export const leaving = () => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
export const codeOf = (error: unknown) => (error instanceof AuthError ? error.code : error)

/** What becomes of a request that nothing comes between. */
export const PLAIN = ['arrived GET /api/me', 'sent', 'answered 200', 'done']

/** A session that is signed in, and a request of it. */
export const begin = async (options?: Parameters<Awaited<ReturnType<typeof setUp>>['signedIn']>[0]) => {
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

/** Sends by a transport of an app’s own, which is given this answer. */
export const sendBy = (auth: TestAuth, key: string, answer: unknown) =>
  bearerRequest(auth, {
    send: async () => answer,
    challenge: () => undefined,
    replayable: true,
    key: () => key,
  })
