export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The slope of a straight line through the logarithms: 1 where time grows as the number does. */
export function growthExponent(points: readonly (readonly [n: number, time: number])[]): number {
  const logs = points.map(([n, time]) => [Math.log(n), Math.log(time)] as const)
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length
  const over = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return over / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

/** Runs two things in turn, so that both see the same machine, and gives the time of each run in nanoseconds. */
export async function interleave(
  rounds: number,
  a: () => Promise<void>,
  b: () => Promise<void>,
): Promise<{ a: number[]; b: number[] }> {
  const times = { a: [] as number[], b: [] as number[] }
  const run = async (name: 'a' | 'b', work: () => Promise<void>) => {
    const began = process.hrtime.bigint()
    await work()
    times[name].push(Number(process.hrtime.bigint() - began))
  }
  for (let round = 0; round < rounds; round++) {
    // Whoever goes second finds a warmer machine, so they take turns at that too.
    if (round % 2) {
      await run('a', a)
      await run('b', b)
    } else {
      await run('b', b)
      await run('a', a)
    }
  }
  return times
}
