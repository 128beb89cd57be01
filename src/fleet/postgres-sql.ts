/**
 * The statements of `postgresFleet`. Each one is short, atomic, and complete in itself. All values are texts, and so are all
 * numbers in an answer, because each client converts other types in its own way. Instants are milliseconds since the Unix epoch.
 */

const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::float8'
/** No two marks have the same one. As text it is an integer, because `extra_float_digits` may cut the last digits of others. */
const MICROS = 'floor(extract(epoch FROM clock_timestamp()) * 1000000)::float8'
/** Another server has another one, and so has this server after a restart. */
const SERVER = 'extract(epoch FROM pg_postmaster_start_time())::text'
const DAY = '86400000'

/** Of the row `s`. */
const LIVES = `(s.id IS NOT NULL AND s.until > ${NOW})`
const HAS_ENDED = `(s.ended_id IS NOT NULL AND s.ended_until > ${NOW})`
const SESSION = `s.id, s.rotation::text AS rotation, s.started_at::text AS started_at, s.until::text AS until,
  array_to_json(s.tags)::text AS tags, s.box`

const MARK = ['mark_rotation', 'mark_owner', 'mark_at', 'mark_server']

/** How many keys `find` returns at most: so few that PostgreSQL reads them in the order of the primary key, however many there are. */
export const FOUND_AT_ONCE = 1_000

export interface PostgresStatements {
  /** key → a row if there is a session */
  readonly read: string
  /** key → the session and its end, if there is a row */
  readonly look: string
  /** key, id, rotation, startedAt, until, tags, box, expected id, expected rotation, channel, message → a row if written */
  readonly replace: string
  /** key, id, rotation, startedAt, channel, message → a row if there is one; `lives`, `done` and the session */
  readonly remove: string
  /** key, id, rotation, startedAt → a row if there was none */
  readonly rememberEnd: string
  /** tag, key → the keys after that one, at most `FOUND_AT_ONCE` of them */
  readonly find: string
  readonly readLastUse: string
  readonly writeLastUse: string
  /** key, owner, lease, the mark that was awaited → at most one row */
  readonly acquire: string
  /** key, fence, owner, id, rotation, lease → a row if presented */
  readonly present: string
  /** key, fence, owner, whether it is settled, channel, message → a row if released */
  readonly release: string
  /** channel, message */
  readonly publish: string
  /** Forgets some rows whose time has passed. */
  readonly purge: string
}

export function postgresStatements(table: string): PostgresStatements {
  return {
    read: `SELECT ${SESSION}, (${NOW} - s.written_at)::text AS age FROM ${table} AS s WHERE s.key = $1::text AND ${LIVES}`,
    look: `SELECT ${LIVES}::text AS lives, ${SESSION}, ${HAS_ENDED}::text AS has_ended, s.ended_id,
      s.ended_rotation::text AS ended_rotation, s.ended_started_at::text AS ended_started_at
      FROM ${table} AS s WHERE s.key = $1::text`,
    replace: replace(table),
    remove: remove(table),
    rememberEnd: `INSERT INTO ${table} (key, ended_id, ended_rotation, ended_started_at, ended_until, forget_at)
      VALUES ($1::text, $2::text, $3::text::float8, $4::text::float8, ${NOW} + ${DAY}, ${NOW} + ${DAY})
      ON CONFLICT (key) DO NOTHING RETURNING pg_notify($5::text, $6::text)::text AS notified`,
    find: `SELECT s.key FROM ${table} AS s WHERE s.tags @> ARRAY[$1::text] AND ${LIVES} AND s.key > $2::text
      ORDER BY s.key LIMIT ${FOUND_AT_ONCE}`,
    readLastUse: `SELECT (${NOW} - s.last_use)::text AS ago FROM ${table} AS s WHERE s.key = $1::text`,
    writeLastUse: `INSERT INTO ${table} (key, last_use, forget_at)
      VALUES ($1::text, ${NOW} - $2::text::float8, ${NOW} + ${DAY})
      ON CONFLICT (key) DO UPDATE SET last_use = excluded.last_use`,
    acquire: acquire(table),
    present: `UPDATE ${table} AS s SET mark_rotation = $5::text::float8, mark_owner = $3::text, mark_at = ${MICROS},
      mark_server = ${SERVER}, lease_end = ${NOW} + $6::text::float8
      WHERE s.key = $1::text AND s.fence = $2::text::float8 AND s.owner = $3::text
        AND CASE WHEN ${LIVES} THEN s.id = $4::text AND s.rotation <= $5::text::float8
          ELSE NOT (${HAS_ENDED} AND (s.ended_id <> '' OR s.ended_started_at = 'Infinity')) END
      RETURNING 1 AS presented`,
    release: `UPDATE ${table} AS s SET lease_end = 0, owner = NULL,
      ${MARK.map((column) => `${column} = CASE WHEN $4::text = '1' AND s.mark_owner = $3::text THEN NULL ELSE s.${column} END`).join(', ')}
      WHERE s.key = $1::text AND s.fence = $2::text::float8 AND s.owner = $3::text
      RETURNING pg_notify($5::text, $6::text)::text AS notified`,
    publish: 'SELECT pg_notify($1::text, $2::text)::text AS notified',
    purge: `DELETE FROM ${table} WHERE key IN (SELECT key FROM ${table} WHERE forget_at < ${NOW} LIMIT 1000
      FOR UPDATE SKIP LOCKED)`,
  }
}

/**
 * What this server did not see come about may be outdated: it is trusted if a session begins, if the session before was trusted,
 * or if its refresh token was presented on this server.
 */
function replace(table: string): string {
  const isExpected = '($8::text = s.id AND $9::text::float8 = s.rotation)'
  const isNewer = `CASE WHEN s.id = excluded.id
      THEN excluded.rotation > s.rotation OR (excluded.rotation = s.rotation AND ${isExpected})
      ELSE excluded.started_at > s.started_at END`
  const isCovered = `CASE WHEN s.ended_id = excluded.id
      THEN excluded.rotation <= s.ended_rotation
      ELSE excluded.started_at < s.ended_started_at END`
  const isTrusted = `$8::text IS NULL OR (${LIVES} AND s.server = ${SERVER})
      OR (s.mark_rotation < excluded.rotation AND s.mark_server = ${SERVER})`
  const isMarkOld = `(${LIVES} AND s.id <> excluded.id) OR s.mark_rotation < excluded.rotation`
  return `INSERT INTO ${table} AS s (key, id, rotation, started_at, until, tags, box, written_at, server, forget_at)
    VALUES ($1::text, $2::text, $3::text::float8, $4::text::float8, $5::text::float8,
      ARRAY(SELECT jsonb_array_elements_text($6::text::jsonb)), $7::text, ${NOW},
      CASE WHEN $8::text IS NULL THEN ${SERVER} ELSE '?' END, greatest($5::text::float8, ${NOW} + 60000))
    ON CONFLICT (key) DO UPDATE SET id = excluded.id, rotation = excluded.rotation, started_at = excluded.started_at,
      until = excluded.until, tags = excluded.tags, box = excluded.box, written_at = excluded.written_at, forget_at = excluded.forget_at,
      server = CASE WHEN ${isTrusted} THEN ${SERVER} ELSE '?' END,
      ended_id = NULL, ended_rotation = NULL, ended_started_at = NULL, ended_until = NULL,
      ${MARK.map((column) => `${column} = CASE WHEN ${isMarkOld} THEN NULL ELSE s.${column} END`).join(', ')}
    WHERE CASE WHEN ${LIVES} THEN ${isNewer} ELSE NOT (${HAS_ENDED} AND ${isCovered}) END
    RETURNING pg_notify($10::text, $11::text)::text AS notified`
}

function remove(table: string): string {
  const isCovered = `CASE WHEN s.id = $2::text
      THEN s.rotation <= $3::text::float8 ELSE s.started_at < $4::text::float8 END`
  const columns = [
    'id',
    'rotation',
    'started_at',
    'until',
    'tags',
    'box',
    'written_at',
    'server',
    'last_use',
    ...MARK,
  ]
  // Of two ends of one session the wider counts, of two sessions the later.
  return `WITH old AS (SELECT s.*, ${LIVES} AS lives, ${HAS_ENDED} AS has_ended
      FROM ${table} AS s WHERE s.key = $1::text FOR UPDATE),
    given AS (SELECT s.*,
      CASE WHEN $2::text IS NOT NULL THEN $2::text WHEN s.lives THEN s.id END AS new_id,
      coalesce($3::text::float8, 'Infinity') AS new_rotation,
      coalesce($4::text::float8, 'Infinity') AS new_started_at,
      greatest(${NOW} + ${DAY}, CASE WHEN s.lives THEN s.until END, CASE WHEN s.has_ended THEN s.ended_until END) AS new_until
      FROM old AS s WHERE NOT s.lives OR $2::text IS NULL OR ${isCovered}),
    chosen AS (SELECT g.*, g.new_id IS NULL OR (g.has_ended AND g.ended_id <> g.new_id
      AND g.ended_started_at > g.new_started_at) AS keeps, g.has_ended AND g.ended_id = g.new_id AS widens FROM given AS g),
    done AS (UPDATE ${table} AS s SET ${columns.map((column) => `${column} = NULL`).join(', ')},
      ended_id = CASE WHEN c.keeps THEN s.ended_id ELSE c.new_id END,
      ended_rotation = CASE WHEN c.keeps THEN s.ended_rotation WHEN c.widens THEN greatest(s.ended_rotation, c.new_rotation)
        ELSE c.new_rotation END,
      ended_started_at = CASE WHEN c.keeps THEN s.ended_started_at
        WHEN c.widens THEN greatest(s.ended_started_at, c.new_started_at) ELSE c.new_started_at END,
      ended_until = CASE WHEN c.new_id IS NULL THEN s.ended_until ELSE c.new_until END,
      forget_at = c.new_until
      FROM chosen AS c WHERE s.key = c.key RETURNING s.key)
    SELECT s.lives::text AS lives, ${SESSION}, (SELECT count(*) FROM done)::text AS done,
      CASE WHEN EXISTS (SELECT FROM done) THEN pg_notify($5::text, $6::text)::text END AS notified
    FROM old AS s`
}

function acquire(table: string): string {
  const isSuspect = `CASE WHEN ${LIVES} THEN s.server IS DISTINCT FROM ${SERVER} ELSE NOT ${HAS_ENDED} END`
  return `WITH taken AS (
    INSERT INTO ${table} AS s (key, fence, owner, lease_end, forget_at)
    VALUES ($1::text, 1, $2::text, ${NOW} + $3::text::float8, ${NOW} + ${DAY})
    ON CONFLICT (key) DO UPDATE SET fence = s.fence + 1, owner = excluded.owner, lease_end = excluded.lease_end
    WHERE (s.lease_end <= ${NOW} OR s.owner = excluded.owner)
      AND (s.mark_owner IS NULL OR s.mark_owner = excluded.owner OR s.mark_at = $4::text::float8)
    RETURNING s.fence::text AS fence, CASE WHEN s.mark_owner <> $2::text THEN s.mark_rotation::text END AS interrupted,
      (${isSuspect})::text AS is_suspect)
  SELECT 'granted' AS result, fence, interrupted, is_suspect, NULL AS marked_at FROM taken
  UNION ALL
  SELECT 'held', NULL, NULL, NULL, CASE WHEN s.mark_owner <> $2::text THEN s.mark_at::int8::text END
  FROM ${table} AS s WHERE s.key = $1::text AND NOT EXISTS (SELECT FROM taken)`
}

/** One statement, so that every client can run it. The lock lasts as long as the statement: two processes may start at once. */
export const postgresTable = (table: string, name: string): string => `DO $authchart$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('authchart ${name}'));
  CREATE TABLE IF NOT EXISTS ${table} (
    key text PRIMARY KEY,
    id text,
    rotation float8,
    started_at float8,
    until float8,
    tags text[],
    box text,
    written_at float8,
    server text,
    ended_id text,
    ended_rotation float8,
    ended_started_at float8,
    ended_until float8,
    last_use float8,
    fence float8 NOT NULL DEFAULT 0,
    owner text,
    lease_end float8 NOT NULL DEFAULT 0,
    mark_rotation float8,
    mark_owner text,
    mark_at float8,
    mark_server text,
    forget_at float8 NOT NULL
  ) WITH (fillfactor = 80);
  CREATE INDEX IF NOT EXISTS ${name}_tags ON ${table} USING gin (tags);
  CREATE INDEX IF NOT EXISTS ${name}_forget_at ON ${table} (forget_at);
END
$authchart$`
