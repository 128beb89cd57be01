/** Whether a value has to be awaited. A store or an observer that answers at once is used at once. */
export const isPromiseLike = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
