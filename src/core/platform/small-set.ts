/** Adds to a set that exists only while it contains something. */
export const withThis = <T>(set: Set<T> | undefined, value: T): Set<T> => (set ?? new Set<T>()).add(value)

/** Removes from a set that exists only while it contains something. */
export const without = <T>(set: Set<T> | undefined, value: T): Set<T> | undefined =>
  set?.delete(value) && set.size === 0 ? undefined : set
