/** A harness for tests of `inspectRequests`: sessions, and the recorded frames of their requests. */
import { onTestFinished } from 'vitest'
import { AuthError } from '../../src/core/errors.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { inspectRequests, type RequestFrame } from '../../src/inspect/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { setUp, type TestAuth } from '../conformance/harness.ts'

const wordOf = (frame: RequestFrame) => {
  if (frame.type === 'arrived') return `arrived ${frame.name}`
  if (frame.type === 'answered') return `answered ${frame.status}`
  return frame.type === 'rejected' ? `rejected ${frame.reason}` : frame.type
}

/** The frames of each request as texts, in the order of arrival. */
export function storiesOf(frames: readonly RequestFrame[]): string[][] {
  const stories = new Map<number, string[]>()
  for (const frame of frames) stories.set(frame.id, [...(stories.get(frame.id) ?? []), wordOf(frame)])
  return [...stories.values()]
}

/** Records the frames of a session's requests until the test ends. */
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
    /** Resolves when `count` frames with this text were recorded. */
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
/** A signal and its abort. */
export const abortable = () => {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
export const codeOf = (error: unknown) => (error instanceof AuthError ? error.code : error)

/** The frames of a request without a hold or a failure. */
export const PLAIN = ['arrived GET /api/me', 'sent', 'answered 200', 'done']

/** Creates a session that is signed in, and a function that sends its requests. */
export const begin = async (options?: Parameters<Awaited<ReturnType<typeof setUp>>['signedIn']>[0]) => {
  const harness = await setUp()
  const auth = await harness.signedIn(options)
  const send = createAuthFetch(auth, { origins: [harness.url] })
  const get = async (path = '/api/me', init?: RequestInit) => {
    const response = await send(`${harness.url}${path}`, init)
    await response.text()
    return response.status
  }
  return { ...harness, auth, get }
}

/** Sends a request by a custom transport, which receives this answer. */
export const sendBy = (auth: TestAuth, key: string, answer: unknown) =>
  bearerRequest(auth, {
    send: async () => answer,
    challenge: () => undefined,
    replayable: true,
    key: () => key,
  })
