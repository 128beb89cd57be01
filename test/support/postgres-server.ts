import { execFile, execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { ChildServer, restartable } from './child-server.ts'
import { freePort } from './free-port.ts'

const { CI } = process.env
const HOME = '/usr/lib/postgresql'

/** The newest PostgreSQL of the machine. */
const programs = (existsSync(HOME) ? readdirSync(HOME) : [])
  .sort((one, other) => Number(other) - Number(one))
  .map((version) => join(HOME, version, 'bin'))
  .find((folder) => existsSync(join(folder, 'postgres')))

/** Whether suites with a real PostgreSQL can run. In CI this is always true, so that a missing server fails them. */
export const hasPostgres = programs !== undefined || CI === 'true'

if (!programs) {
  console.warn(
    'SKIPPED: suites with PostgreSQL, because it was not found. Install it with `apt-get install postgresql`.',
  )
}

/** PostgreSQL refuses to run as root. The Debian package brings a user for it. */
export function postgresUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (kind: string) => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

/** A real PostgreSQL on a free port of this machine. */
export interface PostgresServer {
  readonly port: number
  readonly url: string
  signal(name: NodeJS.Signals): void
  /** Ends the process, and starts it again on the same port. */
  restart(name?: NodeJS.Signals): Promise<void>
  stop(name?: NodeJS.Signals): Promise<void>
}

/**
 * Starts a PostgreSQL with an empty database.
 *
 * @param settings more settings, such as `['max_connections=200']`
 */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const folder = newFolder()
  await run('initdb', '-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-locale')
  return serve(folder, settings)
}

/** Starts a standby of a PostgreSQL, which receives its changes asynchronously. */
export async function startStandby(
  primary: PostgresServer,
): Promise<PostgresServer & { promote(): Promise<void> }> {
  const folder = newFolder()
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', 'postgres']
  await run('pg_basebackup', ...from, '-D', folder, '-R', '-X', 'stream', '-c', 'fast', '--no-sync')
  const standby = await serve(folder, [])
  return {
    ...standby,
    async promote() {
      const client = new pg.Client({ connectionString: standby.url })
      await client.connect()
      await client.query('SELECT pg_promote(true, 30)')
      await client.end()
    },
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'authchart-postgres-'))
  const { uid, gid } = postgresUser()
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid)
  return folder
}

/** Asynchronously, because a test may serve requests meanwhile. */
async function run(program: string, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)(pathOf(program), [...args], { ...postgresUser(), cwd: '/' })
}

function pathOf(program: string): string {
  if (!programs) throw new Error('PostgreSQL was not found. Install it with `apt-get install postgresql`.')
  return join(programs, program)
}

async function serve(folder: string, settings: readonly string[]): Promise<PostgresServer> {
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const all = ['fsync=off', 'listen_addresses=127.0.0.1', ...settings].flatMap((setting) => ['-c', setting])
  async function start() {
    const started = new ChildServer(
      pathOf('postgres'),
      ['-D', folder, '-p', String(port), '-k', folder, ...all],
      {
        ...postgresUser(),
        cwd: '/',
      },
    )
    await started.ready(async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('SELECT 1').finally(() => client.end())
    })
    return started
  }
  return {
    port,
    url,
    ...(await restartable(start, folder, 'SIGINT')),
  }
}
