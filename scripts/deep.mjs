// Searches a million interleavings on all cores, with a new seed for every 2,000 of them. Stops at the first broken
// invariant. RUNS and SEED set the number and the first seed: `RUNS=50000 SEED=7 npm run test:deep`.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const RUNS = Number(process.env.RUNS ?? 1_000_000)
const FIRST_SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
/** Interleavings for each seed: few enough to show progress. */
const CHUNK = 2_000
/** Interval between progress lines, in milliseconds: longer without a terminal. */
const PAUSE = process.stdout.isTTY ? 1_000 : 60_000

const WORKER = fileURLToPath(new URL('../test/model/interleavings/deep-worker.ts', import.meta.url))
const SEEDS = 2 ** 31
const start = performance.now()
let given = 0
let chunks = 0
let done = 0
let shownAt = start

const seconds = () => ((performance.now() - start) / 1_000).toFixed(0)
const count = (number) => number.toLocaleString('en-US')

function showProgress() {
  if (performance.now() - shownAt < PAUSE) return
  shownAt = performance.now()
  const line = `${count(done)} of ${count(RUNS)} runs in ${seconds()} s`
  process.stdout.write(process.stdout.isTTY ? `\r${line}` : `${line}\n`)
}

function next(worker) {
  if (given >= RUNS) return worker.disconnect()
  const runs = Math.min(CHUNK, RUNS - given)
  given += runs
  worker.send({ runs, seed: (FIRST_SEED + chunks++) % SEEDS })
}

const workers = []

function finish(verdict, exitCode) {
  for (const worker of workers) worker.kill()
  console.log(`\n${verdict}`)
  console.log(`${count(done)} runs in ${seconds()} s; the first seed was ${FIRST_SEED}`)
  process.exit(exitCode)
}

for (let index = 0; index < Math.min(availableParallelism(), Math.ceil(RUNS / CHUNK)); index++) {
  const worker = fork(WORKER, [], { execArgv: ['--import', 'tsx'] })
  workers.push(worker)
  worker.on('message', ({ runs, report }) => {
    done += runs
    if (report !== undefined) finish(report, 1)
    showProgress()
    next(worker)
  })
  worker.on('exit', (code, signal) => {
    if (done >= RUNS) finish('All invariants hold.', 0)
    else if (code !== 0) finish(`A process ended with ${signal ?? code}`, 1)
  })
  next(worker)
}
console.log(`${count(RUNS)} runs in ${workers.length} processes; the first seed is ${FIRST_SEED}`)
