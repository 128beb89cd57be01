import fc from 'fast-check'
import { commands } from './commands.ts'
import { type Config, config } from './config.ts'
import { createWorld, Violation, type World } from './world.ts'

/** The settings of one search. `path` and `replayPath` repeat the finding of an earlier search. */
export interface Search {
  readonly runs: number
  readonly seed: number
  readonly path?: string | undefined
  readonly replayPath?: string | undefined
}

export interface Found {
  /** The number of runs. */
  readonly runs: number
  /** The violation and how to reproduce it, or `undefined` if every run passed. */
  readonly report: string | undefined
}

/** Replaces `Math.random`, so that jitter and session ids are the same when a run is repeated. Returns the undo. */
function seedRandom(from: number): () => void {
  const { random } = Math
  let chance = from
  Math.random = () => {
    chance = (chance * 9_301 + 0.492_97) % 1
    return chance
  }
  return () => {
    Math.random = random
  }
}

const macrotask = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The reasons of unhandled rejections. */
const unhandled: unknown[] = []

/** Collects unhandled rejections, because each is a defect that would end most processes. Returns the undo. */
function collectRejections(): () => void {
  const collect = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', collect)
  return () => void process.off('unhandledRejection', collect)
}

/** Runs one world: `happen` acts in it; then it is repaired and closed, and must be in order. */
export async function runWorld(given: Config, happen: (world: World) => Promise<void>): Promise<void> {
  const restore = seedRandom(given.chance)
  try {
    const world = createWorld(given)
    await happen(world)
    await world.end()
    // Node reports unhandled rejections only after a macrotask.
    await macrotask()
    for (const reason of unhandled.splice(0)) throw new Violation(`unhandled rejection: ${String(reason)}`)
  } finally {
    restore()
  }
}

/** Searches for an interleaving that violates an invariant. */
export async function search({ runs, seed, path, replayPath }: Search): Promise<Found> {
  const property = fc.asyncProperty(config, commands(replayPath), async (given, steps) => {
    await runWorld(given, (world) => fc.asyncModelRun(() => ({ model: {}, real: world }), steps))
  })
  const again = path === undefined ? {} : { path, endOnFailure: true }
  const stop = collectRejections()
  const result = await fc.check(property, { numRuns: runs, seed, ...again })
  stop()
  return { runs: result.numRuns, report: result.failed ? describe(result, seed) : undefined }
}

type Failed = fc.RunDetails<[Config, Iterable<fc.AsyncCommand<object, World>>]>

function describe(
  { counterexample, counterexamplePath, errorInstance, numRuns, numShrinks }: Failed,
  seed: number,
) {
  const [given, steps] = counterexample ?? []
  const text = String(steps)
  const replay = /replayPath="([^"]*)"/.exec(text)?.[1] ?? ''
  const again = `SEED=${seed} PATH_='${counterexamplePath}' REPLAY='${replay}'`
  return [
    String(errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance) : errorInstance),
    `The world: ${fc.stringify(given)}`,
    `What happened in it: ${text.replace(/ \/\*replayPath.*\*\//, '')}`,
    `Found in run ${numRuns} with seed ${seed}, made smaller ${numShrinks} times. To see it again:`,
    `${again} npx vitest run test/model/interleavings/interleavings.test.ts`,
  ].join('\n')
}
