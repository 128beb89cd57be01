/**
 * Whether a value has to be awaited. A store or an observer that answers at once is used at once. Not by `instanceof`: Zone.js
 * replaces the global `Promise`, and async functions go on returning the platform's own.
 */
export const isPromiseLike = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
