import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { ChildServer, restartable } from './child-server.ts'
import { freePort } from './free-port.ts'

const { CI } = process.env
const isInstalled = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].some(existsSync)

/** Whether suites with a real Redis can run. In CI this is always true, so that a missing server fails them. */
export const hasRedis = isInstalled || CI === 'true'

if (!isInstalled) {
  console.warn(
    'SKIPPED: suites with Redis, because redis-server was not found. Install it with `apt-get install redis-server`.',
  )
}

/** A real Redis on a free port of this machine. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Runs one command on a connection of its own. */
  command(...command: readonly string[]): Promise<unknown>
  /** Stops the process with SIGSTOP, SIGCONT and the like. */
  signal(name: NodeJS.Signals): void
  /** Ends the process, and starts it again on the same port. What was not written to its files is lost. */
  restart(name?: NodeJS.Signals): Promise<void>
  stop(name?: NodeJS.Signals): Promise<void>
}

/**
 * Starts a Redis.
 *
 * @param args more arguments, such as `['--appendonly', 'yes']`; by default it writes no files
 */
export async function startRedis(args: readonly string[] = [], port?: number): Promise<RedisServer> {
  const at = port ?? (await freePort())
  const directory = await mkdtemp(join(tmpdir(), 'authchart-redis-'))
  const url = `redis://127.0.0.1:${at}`
  async function command(...[name = '', ...parts]: readonly string[]) {
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false })
    redis.on('error', () => {})
    try {
      await redis.connect()
      return await redis.call(name, ...parts)
    } finally {
      redis.disconnect()
    }
  }
  const own = ['--port', String(at), '--bind', '127.0.0.1', '--dir', directory, '--save', '']
  const all = [...own, '--repl-diskless-sync-delay', '0', ...args]
  async function start() {
    const started = new ChildServer('redis-server', all)
    await started.ready(() => command('PING'))
    return started
  }
  return {
    port: at,
    url,
    command,
    ...(await restartable(start, directory, 'SIGKILL')),
  }
}

/** Starts a replica of a Redis, and waits until it has caught up. */
export async function startReplica(primary: RedisServer): Promise<RedisServer> {
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)])
  // Only then its acknowledgements count.
  while (!String(await primary.command('INFO', 'replication')).includes('state=online'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  return replica
}
