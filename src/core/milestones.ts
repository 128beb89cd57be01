import type { Clock } from './ports.ts'

/** How often somebody who waits shows Node that there is something to stay for: the chart's own timers do not. */
const SIGN_OF_LIFE = 60_000

/** Promises of what the chart will have reached when it comes to rest. */
export function createMilestones(clock: Clock) {
  const waiting = new Set<{
    done: () => boolean
    resolve: () => void
    reject: (error: unknown) => void
  }>()
  let ended: { readonly error: unknown } | undefined
  let timer: unknown

  function stay() {
    timer = clock.setTimeout(stay, SIGN_OF_LIFE)
  }

  function leave() {
    if (waiting.size > 0 || timer === undefined) return
    clock.clearTimeout(timer)
    timer = undefined
  }

  return {
    reached: (done: () => boolean): Promise<void> =>
      new Promise((resolve, reject) => {
        if (ended) reject(ended.error)
        else if (done()) resolve()
        else {
          waiting.add({ done, resolve, reject })
          if (timer === undefined) stay()
        }
      }),

    /** The chart has come to rest. */
    settle() {
      for (const milestone of waiting) {
        if (!milestone.done()) continue
        waiting.delete(milestone)
        milestone.resolve()
      }
      leave()
    },

    dispose(error: unknown) {
      ended = { error }
      for (const { reject } of waiting) reject(error)
      waiting.clear()
      leave()
    },
  }
}
