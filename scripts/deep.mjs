// Searches a million interleavings, on every core, with another seed for each few thousand of them; the first that breaks
// an invariant ends it. RUNS and SEED say how many and where to begin: `RUNS=50000 SEED=7 npm run test:deep`.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

const RUNS = Number(process.env.RUNS ?? 1_000_000)
const FIRST_SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
/** Few enough that progress is seen. */
const CHUNK = 2_000
/** How often progress is told where nobody watches, in milliseconds. */
const PAUSE = process.stdout.isTTY ? 1_000 : 60_000

const WORKER = fileURLToPath(new URL('../test/model/interleavings/deep-worker.ts', import.meta.url))
const SEEDS = 2 ** 31
const start = performance.now()
let given = 0
let chunks = 0
let done = 0
let toldAt = start

const seconds = () => ((performance.now() - start) / 1_000).toFixed(0)
const count = (number) => number.toLocaleString('en-US')

function tell() {
  if (performance.now() - toldAt < PAUSE) return
  toldAt = performance.now()
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
    tell()
    next(worker)
  })
  worker.on('exit', (code, signal) => {
    if (done >= RUNS) finish('All invariants hold.', 0)
    else if (code !== 0) finish(`A process ended with ${signal ?? code}`, 1)
  })
  next(worker)
}
console.log(`${count(RUNS)} runs in ${workers.length} processes; the first seed is ${FIRST_SEED}`)
