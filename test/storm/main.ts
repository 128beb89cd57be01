/** Runs storms, and prints a table: `npm run test:storm`. */
import { parseArgs } from 'node:util'
import { SCENARIOS } from './scenarios.ts'
import { runStorm, type StormResult } from './storm.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    processes: { type: 'string', default: '8' },
    sessions: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    database: { type: 'string', multiple: true, default: ['redis', 'postgres'] },
    scenario: { type: 'string', multiple: true, default: SCENARIOS.map(({ name }) => name) },
    trace: { type: 'boolean', default: false },
  },
})

const COLUMNS = [
  ['database', 10],
  ['scenario', 24],
  ['refreshes', 11],
  ['early', 7],
  ['per expiry', 12],
  ['reuse', 7],
  ['lost', 6],
  ['stuck', 7],
  ['strays', 8],
  ['slowest', 9],
  ['kills', 7],
  ['calls', 9],
  ['failed', 8],
] as const

const line = (cells: readonly unknown[]) =>
  cells
    .map((cell, index) => String(cell).padEnd(COLUMNS[index]?.[1] ?? 0))
    .join('')
    .trimEnd()

/** Without a grace period, a kill between a refresh and its answer loses the session. */
function isGood(result: StormResult): boolean {
  const { scenario, perExpiry, reuseDetections, lost, stuck, strays, kills } = result
  const allowed = scenario === 'kills' ? kills : 0
  return (
    !result.isTooBusy &&
    perExpiry <= 1.02 &&
    reuseDetections <= allowed &&
    lost.length <= allowed &&
    stuck.length + strays.length === 0
  )
}

console.log(
  `${values.processes} processes, ${values.sessions} sessions, ${values.seconds} s each, seed ${values.seed}`,
)
console.log(line(COLUMNS.map(([name]) => name)))
for (const database of values.database as ('redis' | 'postgres')[]) {
  for (const scenario of values.scenario) {
    const result = await runStorm({
      database,
      scenario,
      seconds: Number(values.seconds),
      processes: Number(values.processes),
      sessions: Number(values.sessions),
      seed: Number(values.seed),
      trace: values.trace,
    })
    const {
      refreshes,
      early,
      perExpiry,
      reuseDetections,
      lost,
      stuck,
      strays,
      slowest,
      kills,
      calls,
      failures,
      trace,
    } = result
    const ratio = perExpiry.toFixed(3)
    console.log(
      line([
        database,
        scenario,
        refreshes,
        early,
        ratio,
        reuseDetections,
        lost.length,
        stuck.length,
        strays.length,
        Math.round(slowest),
        kills,
        calls,
        failures,
      ]),
    )
    if (result.isTooBusy)
      console.log('  No verdict: the token server answered too late. The machine is too busy.')
    for (const stray of strays) console.log(`  ${stray}`)
    if (trace) console.log(`  traces in ${trace}; lost: ${lost.join(', ')}; stuck: ${stuck.join(', ')}`)
    if (!isGood(result)) process.exitCode = 1
  }
}
process.exit()
