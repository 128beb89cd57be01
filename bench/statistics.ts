export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The slope of a straight line through the logarithms. It is 1 if the time is proportional to the number. */
export function growthExponent(points: readonly (readonly [n: number, time: number])[]): number {
  const logs = points.map(([n, time]) => [Math.log(n), Math.log(time)] as const)
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  return covariance / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
}

/**
 * Runs two pieces of work in turns, in the order A B B A, so that both see the same machine.
 *
 * @returns the time of each run in nanoseconds; runs with the same index are neighbours
 */
export async function interleave(
  rounds: number,
  a: () => Promise<void>,
  b: () => Promise<void>,
): Promise<{ a: number[]; b: number[] }> {
  const times = { a: [] as number[], b: [] as number[] }
  const run = async (name: 'a' | 'b', work: () => Promise<void>) => {
    const startedAt = process.hrtime.bigint()
    await work()
    times[name].push(Number(process.hrtime.bigint() - startedAt))
  }
  for (let round = 0; round < rounds; round++) {
    // The second run finds warmer caches, so the order changes with each round.
    if (round % 2) {
      await run('b', b)
      await run('a', a)
    } else {
      await run('a', a)
      await run('b', b)
    }
  }
  return times
}

/**
 * How much longer each call takes than each `bare` call, in nanoseconds. Neighbouring rounds are added up first, so that
 * each difference contains both orders.
 */
export function addedPerCall(bare: readonly number[], other: readonly number[], calls: number): number {
  const differences: number[] = []
  for (let round = 0; round + 1 < bare.length; round += 2) {
    const sum = (times: readonly number[]) => (times[round] ?? 0) + (times[round + 1] ?? 0)
    differences.push((sum(other) - sum(bare)) / (2 * calls))
  }
  return median(differences)
}

/** What one call of each takes, and what the second adds, in nanoseconds: medians of runs that alternate, after a warm-up. */
export async function comparePerCall(
  rounds: number,
  calls: number,
  bare: () => Promise<void>,
  other: () => Promise<void>,
) {
  await interleave(Math.ceil(rounds / 5), bare, other)
  const { a, b } = await interleave(rounds, bare, other)
  return { bare: median(a) / calls, other: median(b) / calls, added: addedPerCall(a, b, calls) }
}
