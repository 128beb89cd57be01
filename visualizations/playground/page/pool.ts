/**
 * Limits the number of tasks that run at once. The others wait in order of arrival.
 *
 * @param size the maximum number of running tasks
 * @returns a function that runs a task as soon as possible, and resolves to its result
 */
export function createPool(size: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = size

  return async (task) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
