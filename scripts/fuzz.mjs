// Runs the searches of test/fuzz for longer than CI does, with a new seed. RUNS and SEED set how many values each search tries,
// and the seed: `RUNS=100000 SEED=7 npm run test:fuzz`. Arguments are those of Vitest.
import { spawnSync } from 'node:child_process'

const RUNS = process.env.RUNS ?? '5000'
const SEED = process.env.SEED ?? String(Math.floor(Math.random() * 2 ** 31))

console.log(`${RUNS} runs of each search; the seed is ${SEED}`)
const { status } = spawnSync('npx', ['vitest', 'run', 'test/fuzz', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: RUNS, FUZZ_SEED: SEED },
})
process.exit(status ?? 1)
