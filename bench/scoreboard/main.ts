/**
 * Runs the scoreboard and prints, for each scenario, whether each library passes, fails or does not claim it. A whole run
 * writes docs/scoreboard.md.
 *
 * `--peer NAME` and `--only 'SCENARIO'` choose. `--verbose` explains "not claimed", too.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scoreboardPage } from './page.ts'
import { peers } from './peers.ts'
import type { Ran } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import type { Peer, Variant } from './types.ts'
import { judge, type Row, type Verdict } from './verdict.ts'
import { environment } from './versions.ts'

const { values: flags } = parseArgs({
  options: {
    peer: { type: 'string' },
    only: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

/** Processes at the same time. They mostly wait. */
const PARALLEL = 4

const chosen = <T>(all: readonly T[], named: string | undefined, name: (one: T) => string, what: string) => {
  if (named === undefined) return all
  const found = all.filter((one) => name(one) === named)
  if (found.length > 0) return found
  throw new Error(`There is no ${what} '${named}'. Known: ${all.map(name).join(', ')}`)
}

function spawnScenario(peer: Peer, scenario: Scenario, variant: Variant): Promise<Ran> {
  const script = new URL('./run-scenario.ts', import.meta.url).pathname
  const args = [script, peer.name, scenario.title, JSON.stringify(variant)]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'authchart-scoreboard') },
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      if (flags.verbose) process.stderr.write(chunk)
    })
    child.on('close', (code) => {
      const last = output.trim().split('\n').at(-1) ?? ''
      // Without a result, an error of the library has ended the process.
      resolve(
        last.startsWith('{') ? JSON.parse(last) : { passed: false, why: `the process ended with ${code}` },
      )
    })
  })
}

async function decide(peer: Peer, scenario: Scenario): Promise<Verdict> {
  const verdict = judge(peer, scenario, await spawnScenario(peer, scenario, {}))
  if (verdict.outcome !== 'fail') return verdict
  for (const [option, variant] of Object.entries(peer.variants ?? {})) {
    const { passed } = await spawnScenario(peer, scenario, variant)
    if (passed) return { outcome: 'pass', option }
  }
  return verdict
}

const describe = (verdict: Verdict): string => {
  if (verdict.outcome === 'pass') return verdict.option ? `pass with ${verdict.option}` : 'pass'
  if (verdict.outcome === 'fail') return `fail: ${verdict.why}`
  return flags.verbose && verdict.why ? `not claimed (${verdict.why})` : 'not claimed'
}

const chosenPeers = chosen(peers, flags.peer, ({ name }) => name, 'peer')
const chosenScenarios = chosen(scenarios, flags.only, ({ title }) => title, 'scenario')

const rows: Row[] = []
for (const scenario of chosenScenarios) {
  const verdicts = new Map<string, Verdict>()
  const waiting = [...chosenPeers]
  const work = async () => {
    for (let peer = waiting.shift(); peer; peer = waiting.shift()) {
      verdicts.set(peer.name, await decide(peer, scenario))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  console.log(`\n${scenario.title}`)
  for (const { name } of chosenPeers) {
    const verdict = verdicts.get(name)
    if (!verdict) continue
    rows.push({ peer: name, scenario: scenario.title, verdict })
    console.log(`  ${name.padEnd(22)} ${describe(verdict)}`)
  }
}

console.log()
for (const { name } of chosenPeers) {
  const own = rows.filter(({ peer }) => peer === name)
  const count = (outcome: string) => own.filter(({ verdict }) => verdict.outcome === outcome).length
  console.log(
    `${name.padEnd(22)} ${count('pass')} pass, ${count('fail')} fail, ${count('not claimed')} not claimed`,
  )
}

if (!flags.peer && !flags.only) {
  writeFileSync('docs/scoreboard.md', scoreboardPage(rows, environment()))
  console.log('\nwritten: docs/scoreboard.md')
}
const own = rows.filter(({ peer, verdict }) => peer.startsWith('authchart/') && verdict.outcome !== 'pass')
process.exitCode = own.length > 0 ? 1 : 0
