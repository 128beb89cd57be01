import { isPromiseLike } from './promise-like.ts'

/**
 * Subscribes to something that the app gave. Code written in JavaScript may subscribe asynchronously, and may fail to.
 *
 * @param fail receives what is thrown, now or later
 * @returns a function that ends the subscription
 */
export function subscription(subscribe: () => unknown, fail: (error: unknown) => void): () => void {
  const end = (stop: unknown) => {
    try {
      return typeof stop === 'function' && stop()
    } catch (error) {
      fail(error)
    }
  }
  try {
    const stop = subscribe()
    if (!isPromiseLike(stop)) return () => void Promise.resolve(end(stop)).catch(fail)
    const late = Promise.resolve(stop).catch(fail)
    return () => void late.then(end).catch(fail)
  } catch (error) {
    fail(error)
    return () => {}
  }
}
