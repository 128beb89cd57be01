import { isPromiseLike } from './promise-like.ts'

/**
 * Subscribes to something that the app gave. Code written in JavaScript may subscribe asynchronously, and may fail to.
 *
 * @param fail receives what is thrown, now or later
 * @returns a function that ends the subscription
 */
export function subscription(subscribe: () => unknown, fail: (error: unknown) => void): () => void {
  try {
    const stop = subscribe()
    if (!isPromiseLike(stop)) return () => end(stop, fail)
    const late = Promise.resolve(stop).catch(fail)
    return () => void late.then((ended) => end(ended, fail))
  } catch (error) {
    fail(error)
    return () => {}
  }
}

function end(stop: unknown, fail: (error: unknown) => void): void {
  try {
    void Promise.resolve(typeof stop === 'function' && stop()).catch(fail)
  } catch (error) {
    fail(error)
  }
}
