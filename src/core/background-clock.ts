import type { Clock } from './ports.ts'

/**
 * The clock for the chart's own timers, which must not keep a Node process alive: a renewal is no reason to stay. Whoever
 * waits for something has a deadline of its own, and that one does.
 */
export function backgroundClock(clock: Clock): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  return {
    setTimeout(callback, delay) {
      const handle = clock.setTimeout(callback, delay)
      ;(handle as { unref?: () => void } | undefined)?.unref?.()
      return handle
    },
    clearTimeout: (handle) => clock.clearTimeout(handle),
  }
}
