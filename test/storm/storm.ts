import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { patienceOf } from '../../src/fleet/coordinator.ts'
import { createAuth } from '../../src/index.ts'
import { fleetSession } from '../../src/server/fleet-session.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import type { TokenServerRequest } from '../../src/testing/token-server/requests.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import type { TokenServer } from '../../src/testing/token-server/types.ts'
import { type StormDatabase, startPostgresDatabase, startRedisDatabase } from './databases.ts'
import { bundleProcess, FleetProcess } from './fleet-processes.ts'
import { openFleet } from './open-fleet.ts'
import { TroubleProxy } from './proxy.ts'
import { newestTokens, type Refreshes, refreshesIn } from './refreshes.ts'
import { SCENARIOS } from './scenarios.ts'
import { type ProcessReport, SECRET, sessionName } from './settings.ts'

/** How long an access token lives, in milliseconds. */
const LIFETIME = 2_000
/** The longest that a refreshed token takes to reach its process, in milliseconds. */
const SLOWEST_ANSWER = 150
/** How long the processes have to come to rest, in milliseconds. */
const CALM = 14_000

/** What a storm is given. */
export interface StormOptions {
  readonly database: 'redis' | 'postgres'
  readonly scenario: string
  readonly seconds: number
  readonly processes: number
  readonly sessions: number
  readonly seed: number
  readonly trace?: boolean
}

/** What came of a storm. */
export interface StormResult extends Refreshes {
  readonly scenario: string
  readonly database: string
  readonly kills: number
  readonly calls: number
  readonly failures: number
  readonly reuseDetections: number
  /** The longest that the token server took for a refresh, in milliseconds, where a stop of the process counts. */
  readonly slowest: number
  /**
   * Whether the machine was so busy that a token was presented again before its answer has come. Then the run says nothing about
   * lost sessions.
   */
  readonly isTooBusy: boolean
  /** Sessions that no process can go on with: the tokens that work are missing. */
  readonly lost: readonly number[]
  /** Sessions whose requests no process can answer in time, although the tokens that work are in the database. */
  readonly stuck: readonly number[]
  /** Sessions that work, and that some process holds to be ended. */
  readonly strays: readonly string[]
  readonly trace: string | undefined
}

/** What makes trouble. */
export interface Trouble {
  readonly processes: readonly FleetProcess[]
  readonly proxy: TroubleProxy
  readonly database: StormDatabase
  readonly random: () => number
}

/** A generator of numbers from 0 to 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Answers take some time, so that processes are stopped and killed while they wait for one. */
function delayAnswers(server: TokenServer, random: () => number): () => void {
  const fill = () => {
    while (server.pendingScripts < 200) {
      const [before, after] = [random() * 80, random() * SLOWEST_ANSWER]
      if (random() < 0.5) server.delayNext(before)
      else server.delayAnswerNext(after)
    }
  }
  fill()
  const timer = setInterval(fill, 100)
  return () => clearInterval(timer)
}

/** In the form of the traces of the processes. */
function noteRequests(file: string, log: readonly TokenServerRequest[]): void {
  const lines = log.map(({ at, path, status, bodyText }) => `${at} server "${path}" ${status} ${bodyText}\n`)
  writeFileSync(file, lines.join(''))
}

/** Runs one scenario against one database. */
export async function runStorm(options: StormOptions): Promise<StormResult> {
  const scenario = SCENARIOS.find(({ name }) => name === options.scenario)
  if (!scenario) throw new Error(`There is no scenario ${options.scenario}.`)
  const { seconds, sessions, seed } = options
  const { refreshTimeout = 20_000 } = scenario
  const random = randomNumbers(seed)
  const trace = options.trace ? mkdtempSync(join(tmpdir(), 'authchart-storm-')) : undefined
  const database =
    options.database === 'redis'
      ? await startRedisDatabase(!scenario.losesData)
      : await startPostgresDatabase()
  const server = createTokenServer({ accessTokenLifetime: LIFETIME, reuseGrace: scenario.grace ?? 0 })
  const listening = await server.listen()
  const proxy = new TroubleProxy(database.port, scenario.latency)
  const processes: FleetProcess[] = []
  let stopDelays = () => {}
  let file: string | undefined
  try {
    const port = await proxy.listen()
    const began = Date.now()
    await signIn(database, server, sessions)
    stopDelays = delayAnswers(server, random)
    file = await bundleProcess()
    for (let index = 0; index < options.processes; index++) {
      const skew = scenario.skew ? Math.round((random() - 0.5) * 2 * scenario.skew) : 0
      processes.push(
        new FleetProcess(file, {
          name: `process ${index}`,
          database: options.database,
          url: database.url(port),
          tokens: listening.url,
          sessions,
          skew,
          lease: 1_000,
          grace: scenario.grace ?? 0,
          refreshTimeout,
          notifies: scenario.notifies ?? true,
          trace: trace && join(trace, `${index}.log`),
        }),
      )
    }
    await Promise.all(processes.map((process) => process.ready()))
    const ending = new AbortController()
    const end = setTimeout(() => ending.abort(), seconds * 1_000)
    await scenario.run({ processes, proxy, database, random }, ending.signal)
    clearTimeout(end)
    await pause(CALM)
    if (trace) noteRequests(join(trace, 'server.log'), server.log)
    const reports = await Promise.all(processes.map((process) => process.report()))
    const slowest = Math.max(...reports.map((report) => report.slowest))
    const living = await livingSessions(database, server, sessions)
    return {
      ...refreshesIn(server.log, LIFETIME, began),
      ...judge(reports, sessions, living),
      scenario: scenario.name,
      database: options.database,
      kills: processes.reduce((sum, { kills }) => sum + kills, 0),
      reuseDetections: server.reuseDetections,
      slowest,
      isTooBusy: slowest >= (patienceOf(scenario.grace) ?? refreshTimeout),
      trace,
    }
  } finally {
    stopDelays()
    for (const process of processes) process.end()
    if (file) rmSync(file)
    proxy.close()
    await listening.close()
    await database.stop()
  }
}

async function signIn(database: StormDatabase, server: TokenServer, sessions: number): Promise<void> {
  const opened = openFleet({
    database: database.kind,
    url: database.url(database.port),
    lease: 1_000,
    notifies: false,
  })
  const keys = keyRing({ storm: SECRET })
  for (let session = 0; session < sessions; session++) {
    const shared = fleetSession({ fleet: opened.fleet, key: sessionName(session), keys })
    const auth = createAuth({ refresh: async () => ({}), refreshOn: 'demand', ...shared })
    await auth.setTokens(server.issue(`user ${session}`))
    auth.dispose()
  }
  await opened.close()
}

/** The sessions whose newest refresh token is in the database, and accepted by the server. */
async function livingSessions(
  database: StormDatabase,
  server: TokenServer,
  sessions: number,
): Promise<ReadonlySet<number>> {
  const url = database.url(database.port)
  const opened = openFleet({ database: database.kind, url, lease: 1_000, notifies: false })
  const keys = keyRing({ storm: SECRET })
  const newest = newestTokens(server.log)
  const living = new Set<number>()
  for (let session = 0; session < sessions; session++) {
    const { storage } = fleetSession({ fleet: opened.fleet, key: sessionName(session), keys })
    const { refreshToken = '' } = Object(await storage.read()) as { readonly refreshToken?: string }
    const [, family = '', number = ''] = /^rt-(\d+)-(\d+)-/.exec(refreshToken) ?? []
    const isNewest = Number(number) === (newest.get(family) ?? 1)
    if (isNewest && !server.isRevoked(refreshToken)) living.add(session)
  }
  await opened.close()
  return living
}

function judge(reports: readonly ProcessReport[], sessions: number, living: ReadonlySet<number>) {
  const working = new Set(reports.flatMap((report) => report.working))
  const all = Array.from({ length: sessions }, (_, session) => session)
  return {
    calls: reports.reduce((sum, { calls }) => sum + calls, 0),
    failures: reports.reduce((sum, { failures }) => sum + failures, 0),
    lost: all.filter((session) => !working.has(session) && !living.has(session)),
    stuck: all.filter((session) => !working.has(session) && living.has(session)),
    strays: reports.flatMap(({ ended }, process) =>
      ended
        .filter(([session]) => working.has(session))
        .map(([session, reason]) => `session ${session} in process ${process}: ${reason}`),
    ),
  }
}
