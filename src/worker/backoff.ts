/** The first wait after a failure that follows closely on another, and the longest, in milliseconds. */
const FIRST = 250
const LONGEST = 30_000

/** Waits that double each time. After a long time without a failure they begin again. */
export function createBackoff() {
  let failures = 0
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    /** Returns how long to wait before the next try, in milliseconds. The first try is at once. */
    next(): number {
      const now = Date.now()
      failures = now - lastAt > 2 * LONGEST ? 0 : failures + 1
      lastAt = now
      return failures === 0 ? 0 : Math.min(LONGEST, FIRST * 2 ** (failures - 1))
    },
  }
}
