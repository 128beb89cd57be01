/** Promises of what the chart will have reached when it comes to rest. */
export function createMilestones() {
  const waiting = new Set<{
    done: () => boolean
    resolve: () => void
    reject: (error: unknown) => void
  }>()
  let ended: { readonly error: unknown } | undefined

  return {
    reached: (done: () => boolean): Promise<void> =>
      new Promise((resolve, reject) => {
        if (ended) reject(ended.error)
        else if (done()) resolve()
        else waiting.add({ done, resolve, reject })
      }),

    /** The chart has come to rest. */
    settle() {
      for (const milestone of waiting) {
        if (!milestone.done()) continue
        waiting.delete(milestone)
        milestone.resolve()
      }
    },

    dispose(error: unknown) {
      ended = { error }
      for (const { reject } of waiting) reject(error)
      waiting.clear()
    },
  }
}
