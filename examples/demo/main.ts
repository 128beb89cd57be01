/**
 * `npm run demo` sends 300 requests at a time through fetch, ofetch and axios. Access tokens live for two seconds, and the
 * OAuth 2.0 server fails in several ways. No failure reaches the app.
 *
 * `npm run --silent demo -- --json` prints the results as one JSON document. `--requests 60` needs less of a machine.
 */
import { parseArgs } from 'node:util'
import { createAuth } from '../../src/index.ts'
import { startApi } from './api.ts'
import { createFaults } from './faults.ts'
import { createClients, createLoad, type Load, rejections } from './load.ts'
import { createOAuthClient } from './oauth.ts'
import { createReport } from './report.ts'
import { LEAST_EXPIRIES, printTable, problemsIn, type Results, summaries } from './results.ts'
import { createScreen } from './screen.ts'
import { CLIENT_ID, REDIRECT_URI, startTokenServer } from './server.ts'

/** How long the app works. A machine that is too slow to see all failures gets twice as long. */
const SECONDS = 10

const { json, requests } = parseArgs({
  options: { json: { type: 'boolean', default: false }, requests: { type: 'string', default: '300' } },
}).values
const atOnce = Number(requests)
const screen = createScreen(process.stdout, json)
const report = createReport(screen)
const faults = createFaults(report.fault)
await using server = await startTokenServer({ faults })
await using api = await startApi(server)

// A user signs in.
const { signIn, refresh, revoke } = await createOAuthClient(server.url, CLIENT_ID, REDIRECT_URI)
using auth = createAuth({ signIn, refresh, revoke })
report.watch(auth)
await auth.signIn({ username: 'ada' })

// The app sends requests.
const clients = createClients(auth, api.url)
const load = createLoad(clients)
report.startProgress(load)
await work(load)
report.stopProgress()
const { expiries, revocations } = server

// The session ends, and each client gets the same named error.
await server.endSession()
report.server('the session is ended, its refresh token with it')
const end = { rejections: await rejections(clients), state: auth.state, history: auth.history }

const results: Results = {
  atOnce,
  requests: summaries(load.tallies),
  failures: load.tallies.all!.failures.slice(0, 10),
  ...report.counts,
  reuseDetections: server.reuseDetections,
  expiries,
  revocations,
  refusals: api.refusals,
  faults: report.faults,
  end,
}
const problems = problemsIn(results)
process.exitCode = problems.length === 0 ? 0 : 1

if (json) {
  const document = { ok: problems.length === 0, problems, ...results, transitions: report.transitions }
  console.log(JSON.stringify(document, null, 2))
} else {
  screen.line()
  printTable(screen, results)
  screen.line()
  screen.line('A request after that:')
  for (const [client, { name, message }] of Object.entries(end.rejections)) {
    screen.line(`  ${client.padEnd(7)} ${name}: ${message}`)
  }
  screen.line()
  screen.line('Why am I logged out? The last of auth.history:')
  report.history(end.history.slice(-6))
  screen.line()
  if (problems.length === 0) screen.line(screen.paint('green', 'All as it must be.'))
  for (const problem of problems) screen.line(screen.paint('red', `Not as it must be: ${problem}.`))
}

/** Sends waves of requests. Between two waves it plans the next failure of the server. */
async function work({ wave, reports }: Load) {
  const late: Promise<void>[] = []
  const revoke = async () => {
    // Wait for the replays of late 401s: a replay that gets a second 401 would pass it to the app.
    await Promise.all(late)
    await auth.getAccessToken()
    await server.revokeAccessToken()
    report.server('the access token is revoked')
  }
  const plan: [second: number, step: () => unknown][] = [
    [0.3, () => late.push(reports())],
    [0.6, () => faults.plan('dropped')],
    [2, () => faults.plan('serverError', 'serverError')],
    [5, revoke],
    [5.5, () => faults.plan('tooManyRequests')],
    [7.5, () => faults.plan('dropped', 'serverError')],
    [8, revoke],
    [8.5, () => late.push(reports())],
  ]
  const sawItAll = () => plan.length === 0 && faults.outstanding === 0 && server.expiries >= LEAST_EXPIRIES
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1_000
  while (auth.session && elapsed() < (sawItAll() ? SECONDS : 2 * SECONDS)) {
    while (plan[0] && plan[0][0] <= elapsed()) await plan.shift()?.[1]()
    await wave(atOnce)
  }
  await Promise.all(late)
}
