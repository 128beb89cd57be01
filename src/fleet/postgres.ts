/**
 * The sessions of a fleet in PostgreSQL.
 *
 * @module
 */
import type { EndedSession } from '../core/ports.ts'
import {
  databaseFailure,
  type ForeignError,
  garbled,
  isMissing,
  listOf,
  numberOf,
  optionalNumber,
  packMessage,
  sessionOf,
  textOf,
} from './answers.ts'
import { channelMessages, type Subscribe } from './channel.ts'
import { checkOption } from './check-option.ts'
import { compareStored } from './compare.ts'
import { type Acquired, DEFAULT_LEASE, type Fleet, type StoredSession } from './fleet.ts'
import { FOUND_AT_ONCE, type PostgresStatements, postgresStatements, postgresTable } from './postgres-sql.ts'

export type { Subscribe } from './channel.ts'
export type { Acquired, Fleet, FoundKeys, FoundSession, Holder, StoredSession } from './fleet.ts'

/**
 * Sends one statement with its values, and resolves to the rows, or to an object with them: `pool.query` of pg, `sql.unsafe` of
 * postgres, `db.query` of PGlite. Rows are objects.
 */
export type PostgresQuery = (statement: string, values: (string | null)[]) => Promise<unknown>

/** Options of `postgresSchema`. */
export interface PostgresSchemaOptions {
  /** The table, with or without its schema: lower-case letters, digits and `_`. Default: `'authchart_sessions'`. */
  readonly table?: string
}

/** Options of `postgresFleet`. */
export interface PostgresFleetOptions extends PostgresSchemaOptions {
  /** How long a turn lasts, in milliseconds. Default: 3,000. */
  readonly lease?: number
  /**
   * Receives the notifications of a channel, and resolves to a function that stops it. It needs a connection of its own, which
   * does not go through a pooler in transaction mode. Notifications are only hints: without it the processes look for changes.
   */
  readonly listen?: Subscribe
}

/**
 * Sessions in a table of PostgreSQL 12 or later, shared by many processes. Each step is one short statement outside of a
 * transaction. No connection is held while a token is refreshed, and nothing belongs to a connection, so it works through PgBouncer
 * in transaction mode. Only the server's clock counts.
 *
 * The table has to exist: see `postgresSchema`. A failover to a standby that is behind may lose the last writes. Then the
 * processes that hold newer tokens write them again, before the next refresh.
 *
 * @param query sends a statement by a client of yours: pg, postgres, or PGlite
 * @param options table, lease, notifications; times are in milliseconds
 * @returns the value of the option `fleet`. Its methods reject with a `StorageError`. The `reason` is `'no_table'`, `'old_table'`,
 * `'no_database'`, `'no_prepared_statement'`, `'failed_transaction'`, `'read_only'`, `'not_allowed'`, `'conflict'`, `'out_of_resources'` or `'unavailable'`
 * for what PostgreSQL answers, `'unavailable'` if the client has no connection, `'invalid_answer'` for rows that no statement gives,
 * and otherwise the kind of the client's error
 * @throws TypeError if `query` or an option is wrong
 *
 * @example
 * ```ts
 * import pg from 'pg'
 *
 * const pool = new pg.Pool({ connectionString: url })
 * pool.on('error', console.error)
 * await pool.query(postgresSchema())
 * const fleet = postgresFleet((statement, values) => pool.query(statement, values))
 * ```
 */
export function postgresFleet(query: PostgresQuery, options: PostgresFleetOptions = {}): Fleet {
  const { lease = DEFAULT_LEASE, listen } = options
  if (typeof query !== 'function') throw new TypeError('postgresFleet: query must be a function.')
  if (listen !== undefined && typeof listen !== 'function')
    throw new TypeError('postgresFleet: listen must be a function.')
  checkOption('postgresFleet', 'lease', lease, 100)
  const { table, name } = nameOf('postgresFleet', options)
  return createFleet(rowsOf(query), postgresStatements(table), name, lease, listen)
}

/**
 * The table of `postgresFleet`, as one statement. It changes nothing if the table is up to date, so run it at each start, or copy
 * it into your migrations. Rows whose time has passed are removed now and then; `forget_at` is that time, in milliseconds since the
 * Unix epoch.
 *
 * @param options the table
 * @returns SQL without parameters
 * @throws TypeError if the table is not a plain name
 *
 * @example
 * ```ts
 * await pool.query(postgresSchema())
 * ```
 */
export function postgresSchema(options: PostgresSchemaOptions = {}): string {
  const { table, name } = nameOf('postgresSchema', options)
  return postgresTable(table, name)
}

const TABLE = /^(?:([a-z_][a-z0-9_]{0,49})\.)?([a-z_][a-z0-9_]{0,49})$/

/** The quoted name for statements, and a plain name for the channel and the indexes. */
function nameOf(creator: string, { table = 'authchart_sessions' }: PostgresSchemaOptions) {
  const [, schema, name] = TABLE.exec(table) ?? []
  if (name === undefined)
    throw new TypeError(
      `${creator}: table must be at most 50 lower-case letters, digits and _, with or without a schema before it.`,
    )
  return { table: schema === undefined ? `"${name}"` : `"${schema}"."${name}"`, name }
}

type Row = { readonly [column: string]: unknown }
type Send = (statement: string, values: readonly (string | null)[]) => Promise<readonly Row[]>

/** One write in so many also removes rows whose time has passed. */
const PURGE_EVERY = 200
/** How often a write that another process overtook is attempted. */
const ATTEMPTS = 10
/** PostgreSQL refuses a longer notification, in bytes. */
const LONGEST_NOTIFICATION = 7_999

function createFleet(
  send: Send,
  sql: PostgresStatements,
  channel: string,
  lease: number,
  listen: Subscribe | undefined,
): Fleet {
  const messages = listen && channelMessages(channel, listen)
  let writes = 0

  /** The session of a key, and the end that is remembered. */
  async function look(key: string): Promise<{ stored?: StoredSession; ended?: EndedSession }> {
    const [row] = await send(sql.look, [key])
    return row
      ? {
          ...(isTrue(row.lives) && { stored: storedOf(row) }),
          ...(isTrue(row.has_ended) && { ended: endOf(row) }),
        }
      : {}
  }

  return {
    lease,
    notifies: messages !== undefined,

    async read(key) {
      const [row] = await send(sql.read, [key])
      return row && { ...storedOf(row), age: numberOf(row.age) }
    },

    async readStart(key) {
      const { stored, ended } = await look(key)
      return (stored ?? ended)?.startedAt
    },

    async replace(key, next, expected) {
      const { id, rotation, startedAt, until, tags, box } = next
      const fields = [id, String(rotation), String(startedAt), String(until), JSON.stringify(tags), box]
      const before = expected ? [expected.id, String(expected.rotation)] : [null, null]
      const values = [key, ...fields, ...before, channel, packMessage(key, `${id} ${rotation}`)]
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const written = await send(sql.replace, values)
        if (written.length > 0) {
          if (++writes % PURGE_EVERY === 0) void send(sql.purge, []).catch(() => {})
          return 'written'
        }
        const { stored, ended } = await look(key)
        const result = compareStored(stored, ended, next, expected)
        // Meanwhile another process has removed what was in the way.
        if (result !== 'written') return result
      }
      throw garbled()
    },

    async remove(key, ended) {
      const end = ended ? [ended.id, String(ended.rotation), String(ended.startedAt)] : [null, null, null]
      const values = [key, ...end, channel, packMessage(key, '')]
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const [row] = await send(sql.remove, values)
        if (row) return isTrue(row.lives) && numberOf(row.done) > 0 ? storedOf(row) : undefined
        if (!ended) return undefined
        if ((await send(sql.rememberEnd, values)).length > 0) return undefined
      }
      throw garbled()
    },

    async find(tag, cursor = '') {
      const keys = (await send(sql.find, [tag, cursor])).map(({ key }) => textOf(key))
      return { keys, cursor: keys.length < FOUND_AT_ONCE ? undefined : keys.at(-1) }
    },

    async readLastUse(key) {
      const [row] = await send(sql.readLastUse, [key])
      return optionalNumber(row?.ago)
    },
    async writeLastUse(key, ago) {
      await send(sql.writeLastUse, [key, String(ago)])
    },

    async acquire(key, owner, awaited, time = lease): Promise<Acquired> {
      const mark = awaited === undefined ? null : String(awaited)
      const [row] = await send(sql.acquire, [key, owner, String(time), mark])
      if (row?.result !== 'granted') return { result: 'held', markedAt: optionalNumber(row?.marked_at) }
      return {
        result: 'granted',
        fence: numberOf(row.fence),
        interrupted: optionalNumber(row.interrupted),
        isSuspect: isTrue(row.is_suspect),
      }
    },

    async present(key, { fence, owner }, { id, rotation }, time = lease) {
      const presented = [id, String(rotation), String(time)]
      return (await send(sql.present, [key, String(fence), owner, ...presented])).length > 0
    },

    async release(key, { fence, owner }, isSettled) {
      const holder = [String(fence), owner, isSettled ? '1' : '0']
      await send(sql.release, [key, ...holder, channel, packMessage(key, 'free')])
    },

    async publish(key, message) {
      const packed = packMessage(key, message)
      if (new TextEncoder().encode(packed).length > LONGEST_NOTIFICATION) return
      await send(sql.publish, [channel, packed])
    },
    subscribe: messages?.subscribe ?? (() => () => {}),
  }
}

const storedOf = ({ id, rotation, started_at, until, tags, box }: Row): StoredSession =>
  sessionOf([id, rotation, started_at, until, tags, box])

const endOf = ({ ended_id, ended_rotation, ended_started_at }: Row): EndedSession => ({
  id: textOf(ended_id),
  rotation: numberOf(ended_rotation),
  startedAt: numberOf(ended_started_at),
})

function isTrue(value: unknown): boolean {
  const text = textOf(value)
  if (text === 'true' || text === 'false') return text === 'true'
  throw garbled()
}

/** Sends by the app's client. What it rejects with is made an error of the library. */
function rowsOf(query: PostgresQuery): Send {
  return async (statement, values) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await query(statement, [...values])
        const rows = listOf(Array.isArray(answer) ? answer : (Object(answer) as Row).rows)
        return rows.map((row) => {
          if (isMissing(row) || typeof row !== 'object') throw garbled()
          return row as Row
        })
      } catch (error) {
        const failure = databaseFailure(error, reasonOf)
        // A database whose transactions are serializable by default. The statement had no effect.
        if (failure.reason !== 'conflict' || attempt >= ATTEMPTS) throw failure
      }
    }
  }
}

/** By `SQLSTATE`, or its class. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/^42P01$/, 'no_table'],
  [/^42703$/, 'old_table'],
  [/^3D000$/, 'no_database'],
  [/^(?:26000|42P05)$/, 'no_prepared_statement'],
  [/^25006$/, 'read_only'],
  [/^25P02$/, 'failed_transaction'],
  [/^(?:28...|42501)$/, 'not_allowed'],
  [/^40...$/, 'conflict'],
  [/^53...$/, 'out_of_resources'],
  [/^(?:08...|57...|55P03)$/, 'unavailable'],
]

const reasonOf = ({ code }: ForeignError) =>
  typeof code === 'string' ? REASONS.find(([pattern]) => pattern.test(code))?.[1] : undefined
