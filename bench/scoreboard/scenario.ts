import type { TokenServerRequest } from '../../src/testing/token-server/requests.ts'
import { same, tally } from './check.ts'
import type { Job, PeerAnswer } from './types.ts'
import type { Scene } from './world.ts'

/** One scenario of the transport conformance suite, seen from outside: by what the server receives and the caller gets. */
export interface Scenario {
  readonly theme: string
  readonly title: string
  /** The claims without which a scenario that does not pass is "not claimed" instead of "fail". */
  readonly needs: readonly Job[]
  /** One of these claims is necessary as well. */
  readonly oneOf?: readonly Job[]
  /** The operations without which the scenario cannot run. */
  readonly uses?: readonly ('signOut' | 'refresh')[]
  /** Whether it is about answers that only some servers give. It does not apply to a library for one product's server. */
  readonly anyServer?: boolean
  /** The titles of `describeTransport` that it covers. Default: its own title. Empty for the second half of another one. */
  readonly covers?: readonly string[]
  run(scene: Scene): Promise<void>
}

/** Long enough for any client to send what it wants to send over loopback. */
const PAUSE = 150

export const pause = (ms = PAUSE) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Starts `n` calls at the same time, whose rejections are awaited later. */
export const times = <T>(n: number, start: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: n }, (_, index) => begun(start(index)))

export const begun = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {})
  return promise
}

/** The status of each answer, or the error of a call that was rejected. */
export const outcomes = async (calls: readonly Promise<PeerAnswer>[]): Promise<unknown[]> =>
  (await Promise.allSettled(calls)).map((call) =>
    call.status === 'fulfilled' ? call.value.status : call.reason,
  )

/** Checks that all calls are answered with `status`. */
export const allAnswer = async (status: number, calls: readonly Promise<PeerAnswer>[]): Promise<void> =>
  same('answers', tally(await outcomes(calls)), `${status} × ${calls.length}`)

/** Checks that all calls are rejected, or answered with the 401 that they got. */
export const noneSucceeds = async (calls: readonly Promise<PeerAnswer>[]): Promise<void> => {
  const succeeded = (await outcomes(calls)).filter((outcome) => Number(outcome) < 400)
  same('requests that succeeded', succeeded.length, 0)
}

/** Some libraries pause after failures, so that a server can recover. None pauses longer than this, in milliseconds. */
const LONGEST_PAUSE = 75_000

/** Checks that the session works again, at once or after the library's own pause. */
export const worksAgain = async (request: () => Promise<PeerAnswer>): Promise<void> => {
  const end = Date.now() + LONGEST_PAUSE
  for (;;) {
    const [outcome] = await outcomes([request()])
    if (outcome === 200) return
    if (Date.now() > end) {
      return same(`an answer within ${LONGEST_PAUSE / 1000} s of the recovery`, outcome, 200)
    }
    await pause(3_000)
  }
}

export const generations = (log: readonly TokenServerRequest[]): string =>
  tally(log.map(({ generation }) => (generation ? `token ${generation}` : 'no token')))

/** Waits for `awaited`, or until all calls have ended: then their outcomes show what is wrong. */
export const sooner = async (
  awaited: Promise<unknown>,
  calls: readonly Promise<unknown>[],
): Promise<void> => {
  await Promise.race([awaited, Promise.allSettled(calls)])
}

/** Whether a promise settles within `ms` milliseconds. */
export const settlesWithin = async (ms: number, promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    pause(ms).then(() => false),
  ])
