import { chownSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { ChildServer, restartable } from './child-server.ts'
import { freePort } from './free-port.ts'
import { type PostgresServer, postgresUser } from './postgres-server.ts'

const PROGRAM = '/usr/sbin/pgbouncer'
const isInstalled = existsSync(PROGRAM)

/** Whether suites with a real PgBouncer can run. In CI this is always true, so that a missing one fails them. */
export const hasPgBouncer = isInstalled || process.env.CI === 'true'

if (!isInstalled) {
  console.warn(
    'SKIPPED: suites with PgBouncer, because it was not found. Install it with `apt-get install pgbouncer`.',
  )
}

/** Starts a PgBouncer in transaction mode, with fewer connections to the database than its clients need at the same time. */
export async function startPgBouncer(
  database: PostgresServer,
): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'authchart-pgbouncer-'))
  const file = join(folder, 'pgbouncer.ini')
  const lines = [
    '[databases]',
    `postgres = host=127.0.0.1 port=${database.port} user=postgres`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 2',
  ]
  writeFileSync(file, lines.join('\n'))
  const { uid, gid } = postgresUser()
  if (uid !== undefined && gid !== undefined) for (const path of [folder, file]) chownSync(path, uid, gid)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  async function start() {
    const server = new ChildServer(PROGRAM, [file], { ...postgresUser(), cwd: '/' })
    await server.ready(async () => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('SELECT 1').finally(() => client.end())
    })
    return server
  }
  const { stop } = await restartable(start, folder, 'SIGINT')
  return { url, stop }
}
