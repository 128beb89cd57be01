/** The Web Locks of this page or worker; `undefined` without them, as in Node. */
export const lockManager = (): LockManager | undefined =>
  typeof navigator === 'undefined' ? undefined : navigator.locks
