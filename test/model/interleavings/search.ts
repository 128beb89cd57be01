import fc from 'fast-check'
import { commands } from './commands.ts'
import { type Config, config } from './config.ts'
import { createWorld, Violation, type World } from './world.ts'

/** How one search goes; `path` and `replayPath` repeat what another one found. */
export interface Search {
  readonly runs: number
  readonly seed: number
  readonly path?: string | undefined
  readonly replayPath?: string | undefined
}

export interface Found {
  /** Runs that were made. */
  readonly runs: number
  /** What broke, and how to see it again; nothing where nothing did. */
  readonly report: string | undefined
}

/** Chance for the library: the jitter of backoffs and the names of sessions must be the same when a run is repeated. */
function withChance(from: number): () => void {
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

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve))

/** What was rejected, and nobody heard it. */
const unheard: unknown[] = []

/** A promise that is rejected into the void is a defect, and would end most processes. */
function listenToTheVoid(): () => void {
  const hear = (reason: unknown) => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  return () => void process.off('unhandledRejection', hear)
}

/** One life of one world: what happens in it, and then its end, at which everything has to be in order again. */
export async function live(given: Config, happen: (world: World) => Promise<void>): Promise<void> {
  const restore = withChance(given.chance)
  try {
    const world = createWorld(given)
    await happen(world)
    await world.end()
    // Only once it breathes does a process look for rejections that nobody heard.
    await breathe()
    for (const reason of unheard.splice(0)) throw new Violation(`nobody heard of ${String(reason)}`)
  } finally {
    restore()
  }
}

/** Looks for an interleaving that breaks an invariant. */
export async function search({ runs, seed, path, replayPath }: Search): Promise<Found> {
  const property = fc.asyncProperty(config, commands(replayPath), async (given, steps) => {
    await live(given, (world) => fc.asyncModelRun(() => ({ model: {}, real: world }), steps))
  })
  const again = path === undefined ? {} : { path, endOnFailure: true }
  const leave = listenToTheVoid()
  const result = await fc.check(property, { numRuns: runs, seed, ...again })
  leave()
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
