/**
 * Whether a value has to be awaited. A store or an observer that answers at once is used at once. Not by `instanceof`: Zone.js
 * replaces the global `Promise`, and async functions go on returning the platform's own.
 */
export const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'

/** Goes on with a value: at once if it is there, and otherwise when it is. */
export const whenDone = <T, Result>(
  value: T | PromiseLike<T>,
  next: (value: T) => Result,
  failed?: (error: unknown) => Result,
): Result | Promise<Result> =>
  isPromiseLike(value) ? Promise.resolve(value).then(next, failed) : next(value)
