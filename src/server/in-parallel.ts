/** How many operations run at once. */
const AT_ONCE = 16

/**
 * Runs an operation for each value, a few at once. All of them run, even if some fail.
 *
 * @returns the results, in the order of the values
 * @throws the first error
 */
export async function inParallel<T, R>(
  values: readonly T[],
  operation: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const errors: unknown[] = []
  let next = 0
  async function work(): Promise<void> {
    while (next < values.length) {
      const index = next++
      try {
        results[index] = await operation(values[index] as T)
      } catch (error) {
        errors.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, values.length) }, work))
  if (errors.length > 0) throw errors[0]
  return results
}
