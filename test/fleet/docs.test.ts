import * as ioredis from 'ioredis'
import pg from 'pg'
import postgres from 'postgres'
import * as redis from 'redis'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Fleet } from '../../src/fleet/fleet.ts'
import * as postgresFleet from '../../src/fleet/postgres.ts'
import * as redisFleet from '../../src/fleet/redis.ts'
import { type Snippet, snippetsOf } from '../package/readme-source.ts'
import { runSnippet } from '../package/run-snippet.ts'
import { hasPostgres, startPostgres } from '../support/postgres-server.ts'
import { hasRedis, startRedis } from '../support/redis-server.ts'
import { eventually, storedSession } from './describe-fleet.ts'

const MODULES = {
  'authchart/redis': redisFleet,
  'authchart/postgres': postgresFleet,
  ioredis,
  redis,
  pg: { __esModule: true, default: pg },
  postgres: { __esModule: true, default: postgres },
}

const snippetWith = (client: string) =>
  snippetsOf('docs/fleet.md').find(({ code }) => code.includes(`from '${client}'`)) as Snippet

interface Database {
  readonly url: string
  restart(): Promise<void>
  stop(): Promise<void>
}

/** An error event without a listener ends a process, and fails the run of the tests. */
async function survivesRestart(client: string, database: Database): Promise<void> {
  onTestFinished(() => database.stop())
  const { exports } = await runSnippet(snippetWith(client), '', { url: database.url }, MODULES)
  const { fleet } = exports as unknown as { fleet: Fleet }
  const errors: unknown[] = []
  const note = ({ message }: Error) => void errors.push(message)
  process.on('uncaughtException', note)
  onTestFinished(() => void process.off('uncaughtException', note))
  const heard: string[] = []
  const write = (rotation: number) =>
    fleet.replace('key', storedSession({ rotation }), undefined).catch(() => undefined)
  fleet.subscribe('key', (message) => heard.push(message))
  let rotation = 0
  const isShared = async () => {
    await write(++rotation)
    return heard.length > 0
  }
  await eventually(isShared)
  await database.restart()
  heard.length = 0
  await eventually(isShared)
  expect(errors).toEqual([])
}

describe.skipIf(!hasRedis)('the links to Redis in docs/fleet.md', () => {
  it.each(['ioredis', 'redis'])('%s outlives a restart of the server', async (name) => {
    await survivesRestart(name, await startRedis())
  })
})

describe.skipIf(!hasPostgres)('the links to PostgreSQL in docs/fleet.md', () => {
  it.each(['pg', 'postgres'])('%s outlives a restart of the server', async (name) => {
    await survivesRestart(name, await startPostgres())
  })
})
