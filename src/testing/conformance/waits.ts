/** How scenarios wait: for events and arrivals, never for time. */
import type { Auth, AuthEventMap } from '../../core/auth.ts'

/** The next event of that kind, from now on. */
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

/** When the chart enters the state of that path, from now on. */
export const entered = (auth: Pick<Auth, 'on'>, to: string) =>
  nextEvent(auth, 'transition', (event) => event.to === to)

/** When that many requests are held at once, from now on. */
export const untilHeld = (auth: Pick<Auth, 'on'>, count: number) =>
  nextEvent(auth, 'requestHeld', ({ held }) => held === count)

/** A promise, and the way to resolve it. */
export const deferred = () => {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Starts `n` things at once. */
export const times = <T>(n: number, start: (index: number) => Promise<T>): Promise<T>[] =>
  Array.from({ length: n }, (_, index) => start(index))

/** What each of them came to: the error where it rejected, the value where it did not. */
export const outcomes = async (promises: readonly Promise<unknown>[]): Promise<unknown[]> =>
  (await Promise.allSettled(promises)).map((result) =>
    result.status === 'fulfilled' ? result.value : result.reason,
  )

/**
 * Waits until these calls are where the scenario wants them. Where all of them come to their end instead, there is nothing to
 * wait for: what they came to shows what is wrong, at once.
 */
export const sooner = async (
  awaited: readonly Promise<unknown>[],
  calls: readonly Promise<unknown>[],
): Promise<void> => {
  await Promise.race([Promise.all(awaited), Promise.allSettled(calls)])
}

/** Begins what is awaited later: where the scenario fails before that, the failure is told, and nothing beside it. */
export const begun = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {})
  return promise
}
