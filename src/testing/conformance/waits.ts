/** Scenarios wait for events and arrivals, never for time. */
import type { Auth, AuthEventMap } from '../../core/auth.ts'

/** The next event of that type. */
export const nextEvent = <T extends keyof AuthEventMap>(
  auth: Pick<Auth, 'on'>,
  type: T,
  matches: (event: AuthEventMap[T]) => boolean = () => true,
): Promise<AuthEventMap[T]> =>
  new Promise((resolve) => {
    const stop = auth.on(type, (event) => {
      if (!matches(event)) return
      stop()
      resolve(event)
    })
  })

/** Resolves when the chart next enters the state with that path. */
export const entered = (auth: Pick<Auth, 'on'>, to: string) =>
  nextEvent(auth, 'transition', (event) => event.to === to)

/** Resolves when `count` requests are held at the same time. */
export const untilHeld = (auth: Pick<Auth, 'on'>, count: number) =>
  nextEvent(auth, 'requestHeld', ({ held }) => held === count)

/** A promise with its `resolve` function. */
export const deferred = <T = void>() => {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((resolvePromise) => {
    resolve = resolvePromise
  })
  return { promise, resolve }
}

/** Starts `n` calls at the same time. */
export const times = <T>(n: number, start: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: n }, (_, index) => start(index))

/** The outcome of each promise: its value, or its error if it rejected. */
export const outcomes = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((result) =>
    result.status === 'fulfilled' ? result.value : result.reason,
  )

/**
 * Waits for `awaited`, or until all `calls` have ended. If the calls end first, waiting longer is useless: their outcomes show
 * what is wrong.
 */
export const sooner = async (
  awaited: readonly Promise<unknown>[],
  calls: readonly Promise<unknown>[],
): Promise<void> => {
  await Promise.race([Promise.all(awaited), Promise.allSettled(calls)])
}

/** Marks a promise that is awaited later as handled, so that only the first failure of a scenario is reported. */
export const begun = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {})
  return promise
}
