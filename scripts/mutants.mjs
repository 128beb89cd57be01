// Inserts ten bugs into a copy of the library, one at a time, and reports which suite finds each: the model's paths, the
// conformance suite, the search for interleavings, or the unit tests. If no suite finds a bug, the command fails.
//
//   npm run test:mutants                          each mutant up to the first test that fails
//   npm run test:mutants -- 'timer not clamped'   only the named mutants
//   npm run test:mutants -- --all                 every suite for every mutant, as a matrix
//   npm run test:mutants -- --json                the results as JSON
//   npm run test:mutants -- --check               only checks that the mutants fit the source
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyTree, mutate, whileMutated } from './mutants/copy.mjs'
import { matrix, verdicts } from './mutants/report.mjs'
import { killAll, runSuite } from './mutants/run-suite.mjs'
import { MUTANTS } from './mutants/seeded.mjs'
import { PRODUCT, UNIT } from './mutants/suites.mjs'

/** The longest time of a suite on a slow machine without a mutant, in milliseconds. */
const PATIENCE = 300_000
/** The factor by which a suite may be slower with a mutant. */
const SLACK = 4

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean' }, json: { type: 'boolean' }, check: { type: 'boolean' } },
})

const say = (line) => console.error(line)

function chosen() {
  for (const name of positionals) {
    if (!MUTANTS.some((mutant) => mutant.name === name)) throw new Error(`There is no mutant '${name}'`)
  }
  return positionals.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => positionals.includes(name))
}

/** Distributes the items over the copies. Each copy works on one item at a time. */
async function spread(copies, items, work) {
  const left = [...items]
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item, copy)
    }),
  )
}

/** Runs the suites without a mutant, and throws if one fails. Returns the time limit of each, in milliseconds. */
async function limitsOf(copies, suites) {
  const limits = new Map()
  await spread(copies, suites, async (suite, copy) => {
    const { seconds, failure } = await runSuite(copy, suite, PATIENCE)
    if (failure) {
      throw new Error(`${suite.name} fails with no mutant at all: ${failure.file}: ${failure.title}`)
    }
    say(`unmutated: ${suite.name} passes in ${seconds.toFixed(1)} s`)
    limits.set(suite, Math.ceil(seconds * SLACK) * 1_000)
  })
  return limits
}

/** Runs the suites on each mutant, in order, until one finds it. With `--all`, runs all of them. */
async function hunt(copies, results, suites) {
  const limits = await limitsOf(copies, suites)
  await spread(copies, results, async (result, copy) => {
    await whileMutated(copy, result.mutant, async () => {
      for (const suite of suites) {
        if (result.killedBy && !options.all) return
        const { seconds, failure } = await runSuite(copy, suite, limits.get(suite))
        result.seconds += seconds
        result.runs.push({ suite: suite.name, seconds, failure })
        if (failure) result.killedBy ??= { suite: suite.name, ...failure }
        say(`${result.name}: ${suite.name} ${failure ? 'finds it' : 'passes'} in ${seconds.toFixed(1)} s`)
      }
    })
  })
}

async function main(directory) {
  const mutants = chosen()
  for (const mutant of mutants) mutate('.', mutant)
  if (options.check) return console.log(`${mutants.length} mutants fit the source`)

  const copies = [copyTree('.', join(directory, '0'))]
  while (copies.length < Math.min(availableParallelism(), mutants.length)) {
    copies.push(copyTree(copies[0], join(directory, `${copies.length}`)))
  }
  const results = mutants.map((mutant) => ({
    name: mutant.name,
    mutant,
    killedBy: undefined,
    seconds: 0,
    runs: [],
  }))
  if (options.all) await hunt(copies, results, [...PRODUCT, ...UNIT])
  else {
    await hunt(copies, results, PRODUCT)
    const left = results.filter(({ killedBy }) => !killedBy)
    if (left.length > 0) await hunt(copies, left, UNIT)
  }
  show(results)
}

function show(results) {
  const survivors = results.filter(({ killedBy }) => !killedBy)
  if (options.json) console.log(JSON.stringify(results.map(plain), undefined, 2))
  else {
    console.log(`\n${verdicts(results).join('\n')}`)
    if (options.all) console.log(`\n${matrix(results, [...PRODUCT, ...UNIT]).join('\n')}`)
    console.log(`\n${results.length - survivors.length} killed, ${survivors.length} survived`)
  }
  for (const { name, mutant } of survivors) console.error(`No suite finds '${name}': ${mutant.harm}`)
  if (survivors.length > 0) process.exitCode = 1
}

const plain = ({ mutant: { harm }, name, killedBy, seconds, runs }) => ({
  name,
  harm,
  killedBy,
  seconds,
  runs,
})

const directory = mkdtempSync(join(tmpdir(), 'authchart-mutants-'))
process.on('exit', () => {
  killAll()
  rmSync(directory, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

try {
  await main(directory)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
process.exit()
