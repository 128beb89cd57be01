/**
 * The sessions of a fleet in Redis or Valkey.
 *
 * @module
 */
import { StorageError } from '../core/errors.ts'
import type { EndedSession, Replaced } from '../core/ports.ts'
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
  tagsOf,
  textOf,
} from './answers.ts'
import { channelMessages, type Subscribe } from './channel.ts'
import { checkOption } from './check-option.ts'
import {
  type Acquired,
  DEFAULT_LEASE,
  type Fleet,
  type FoundSession,
  SHORTEST_MEMORY,
  type StoredSession,
} from './fleet.ts'
import { RedisScript } from './redis-script.ts'
import * as lua from './redis-scripts.ts'

export type { Acquired, Fleet, FoundKeys, FoundSession, Holder, StoredSession } from './fleet.ts'

/** Sends one command, such as `['PING']`, and resolves to the reply. It rejects with what the server answers as an error. */
export type SendRedisCommand = (command: readonly string[]) => Promise<unknown>

/** How to reach Redis or Valkey: by a client that exists already. */
export interface RedisLink {
  /** Sends one command on a connection that is not subscribed to a channel. */
  readonly send: SendRedisCommand
  /**
   * Receives the messages of a channel, and resolves to a function that stops it. It needs a connection of its own. A client that
   * does not subscribe again after a lost connection calls `lost`. Messages are only hints: without them the processes look for
   * changes.
   */
  readonly subscribe?: Subscribe
}

/** Options of `redisFleet`. */
export interface RedisFleetOptions {
  /** What all keys and the channel begin with. Default: `'authchart:'`. */
  readonly prefix?: string
  /** How long a turn lasts, in milliseconds. Default: 3,000. */
  readonly lease?: number
  /**
   * Waits after each write until `count` replicas have it, for at most `timeout` milliseconds. If fewer have it, no refresh token
   * is sent. The link must send all commands on one connection. Default: no wait.
   */
  readonly replicas?: {
    /** How many replicas must have each write; at least 1. */
    readonly count: number
    /** How long to wait for them, in milliseconds; at least 1. */
    readonly timeout: number
  }
}

/**
 * Sessions in Redis 6.2 or later, or Valkey, shared by many processes. Everything about a session is in one hash, so it works on a
 * cluster, too. Each step is a Lua script on the server, and only the server's clock counts.
 *
 * The database must not evict sessions: set `maxmemory-policy noeviction`. A failover may lose the last writes. Then the
 * processes that hold newer tokens write them again, before the next refresh.
 *
 * @param link sends commands by a client of yours: ioredis, redis, iovalkey, Valkey GLIDE, or HTTP
 * @param options prefix of the keys, lease, replicas; times are in milliseconds
 * @returns the value of the option `fleet`. Its methods reject with a `StorageError`. The `reason` is `'read_only'`,
 * `'out_of_memory'`, `'out_of_resources'`, `'loading'`, `'not_allowed'`, `'wrong_node'` or `'unavailable'` for what Redis answers,
 * `'unavailable'` if the client has no connection, `'too_few_replicas'` if a write did not reach the replicas, `'invalid_answer'` for
 * a reply that no script gives, and otherwise the kind of the client's error
 * @throws TypeError if the link or an option is wrong
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const redis = new Redis(url)
 * const fleet = redisFleet({
 *   send: ([name = '', ...parts]) => redis.call(name, ...parts),
 *   async subscribe(channel, hear) {
 *     const subscriber = redis.duplicate({ maxRetriesPerRequest: null })
 *     subscriber.on('message', (_, message) => hear(message))
 *     await subscriber.subscribe(channel)
 *     return () => subscriber.disconnect()
 *   },
 * })
 * ```
 */
export function redisFleet(link: RedisLink | SendRedisCommand, options: RedisFleetOptions = {}): Fleet {
  const { prefix = 'authchart:', lease = DEFAULT_LEASE, replicas } = options
  const { send, subscribe } = typeof link === 'function' ? { send: link } : (link ?? {})
  if (typeof send !== 'function') throw new TypeError('redisFleet: send must be a function.')
  if (typeof prefix !== 'string') throw new TypeError('redisFleet: prefix must be a text.')
  checkOption('redisFleet', 'lease', lease, 100)
  checkOption('redisFleet', 'replicas.count', replicas?.count, 1)
  checkOption('redisFleet', 'replicas.timeout', replicas?.timeout, 1)
  return createFleet(new RedisCommands(send, replicas), prefix, lease, subscribe)
}

/** The numbers of a script are doubles, and its texts of numbers have no infinity. */
const FOREVER = 1e308
const numberText = (value: number) => String(Math.min(value, FOREVER))
const unbounded = (value: number) => (value < FOREVER ? value : Number.POSITIVE_INFINITY)
const flag = (value: unknown) => (value ? '1' : '0')

function createFleet(
  redis: RedisCommands,
  prefix: string,
  lease: number,
  subscribe: Subscribe | undefined,
): Fleet {
  const channel = `${prefix}messages`
  const memory = String(SHORTEST_MEMORY)
  const sessionKey = (key: string) => `${prefix}session:${key}`
  const tagKey = (tag: string) => `${prefix}tag:${tag}`
  const messages = subscribe && channelMessages(channel, subscribe)

  async function read(key: string): Promise<FoundSession | undefined> {
    const reply = await redis.run(SCRIPTS.read, sessionKey(key))
    const session = storedOf(reply)
    return session && { ...session, age: numberOf(listOf(reply)[6]) }
  }

  return {
    lease,
    notifies: messages !== undefined,
    read,
    async readStart(key) {
      const startedAt = optionalNumber(await redis.run(SCRIPTS.readStart, sessionKey(key)))
      return startedAt && unbounded(startedAt)
    },

    async replace(key, next, expected): Promise<Replaced> {
      const { id, rotation, startedAt, until, tags, box } = next
      // Before the record, so that no session is without its tags. `find` ignores a tag without a session.
      const added = [numberText(until), key, flag(expected)]
      await Promise.all(tags.map((tag) => redis.run(SCRIPTS.addToTag, tagKey(tag), ...added)))
      const message = packMessage(key, `${id} ${rotation}`)
      const fields = [
        id,
        numberText(rotation),
        numberText(startedAt),
        numberText(until),
        JSON.stringify(tags),
        box,
      ]
      const before = [flag(expected), expected?.id ?? '', String(expected?.rotation ?? 0)]
      const reply = await redis.run(SCRIPTS.replace, sessionKey(key), channel, message, ...fields, ...before)
      const result = textOf(reply)
      if (result !== 'written' && result !== 'newer' && result !== 'gone') throw garbled()
      if (result === 'written') await redis.replicated().catch(() => {})
      return result
    },

    async remove(key, ended?: EndedSession) {
      const end = [
        flag(ended),
        ended?.id ?? '',
        numberText(ended?.rotation ?? 0),
        numberText(ended?.startedAt ?? 0),
      ]
      const reply = await redis.run(
        SCRIPTS.remove,
        sessionKey(key),
        channel,
        packMessage(key, ''),
        memory,
        ...end,
      )
      const removed = storedOf(reply)
      await redis.replicated().catch(() => {})
      const { tags = [], until = 0 } = removed ?? {}
      // It is removed. A tag that stays is ignored.
      await Promise.all(
        tags.map((tag) => redis.run(SCRIPTS.removeFromTag, tagKey(tag), numberText(until), key)),
      ).catch(() => {})
      return removed
    },

    async find(tag, cursor = '0') {
      const [next, found] = listOf(await redis.run(SCRIPTS.readTag, tagKey(tag), cursor))
      const keys = listOf(found).map(textOf)
      const has = async (key: string) => {
        const tags = await redis.run(SCRIPTS.readTagsOf, sessionKey(key))
        return !isMissing(tags) && tagsOf(textOf(tags)).includes(tag)
      }
      const areFound = await Promise.all(keys.map(has))
      const end = textOf(next)
      return { keys: keys.filter((_, index) => areFound[index]), cursor: end === '0' ? undefined : end }
    },

    async readLastUse(key) {
      return optionalNumber(await redis.run(SCRIPTS.readLastUse, sessionKey(key)))
    },
    async writeLastUse(key, ago) {
      await redis.run(SCRIPTS.writeLastUse, sessionKey(key), String(ago), memory)
    },

    async acquire(key, owner, awaited, time = lease): Promise<Acquired> {
      const reply = await redis.run(
        SCRIPTS.acquire,
        sessionKey(key),
        owner,
        String(time),
        awaited === undefined ? '' : String(awaited),
        memory,
      )
      const [result, ...fields] = listOf(reply)
      if (textOf(result) === 'held') return { result: 'held', markedAt: optionalNumber(fields[0]) }
      const [fence, interrupted, isSuspect] = fields
      return {
        result: 'granted',
        fence: numberOf(fence),
        interrupted: optionalNumber(interrupted),
        isSuspect: numberOf(isSuspect) === 1,
      }
    },

    async present(key, { fence, owner }, { id, rotation }, time = lease) {
      const holder = [String(fence), owner, id, numberText(rotation), String(time)]
      const isOurs = numberOf(await redis.run(SCRIPTS.present, sessionKey(key), ...holder)) === 1
      if (isOurs) await redis.replicated()
      return isOurs
    },

    async release(key, { fence, owner }, isSettled) {
      const holder = [String(fence), owner, flag(isSettled)]
      await redis.run(SCRIPTS.release, sessionKey(key), channel, packMessage(key, 'free'), ...holder)
    },

    async publish(key, message) {
      await redis.command('PUBLISH', channel, packMessage(key, message))
    },
    subscribe: messages?.subscribe ?? (() => () => {}),
  }
}

const SCRIPTS = {
  read: new RedisScript(lua.READ),
  readStart: new RedisScript(lua.READ_START),
  replace: new RedisScript(lua.REPLACE),
  remove: new RedisScript(lua.REMOVE),
  readLastUse: new RedisScript(lua.READ_LAST_USE),
  writeLastUse: new RedisScript(lua.WRITE_LAST_USE),
  acquire: new RedisScript(lua.ACQUIRE),
  present: new RedisScript(lua.PRESENT),
  release: new RedisScript(lua.RELEASE),
  addToTag: new RedisScript(lua.ADD_TO_TAG),
  removeFromTag: new RedisScript(lua.REMOVE_FROM_TAG),
  readTag: new RedisScript(lua.READ_TAG),
  readTagsOf: new RedisScript(lua.READ_TAGS_OF),
}

function storedOf(reply: unknown): StoredSession | undefined {
  if (isMissing(reply)) return undefined
  const session = sessionOf(listOf(reply))
  return { ...session, until: unbounded(session.until) }
}

/** Sends commands by the app's client. What it rejects with is made an error of the library. */
class RedisCommands {
  readonly #send: SendRedisCommand
  readonly #replicas: RedisFleetOptions['replicas']

  constructor(send: SendRedisCommand, replicas: RedisFleetOptions['replicas']) {
    this.#send = send
    this.#replicas = replicas
  }

  async run(script: RedisScript, key: string, ...values: readonly string[]): Promise<unknown> {
    try {
      return await script.run(this.#send, key, values)
    } catch (error) {
      throw databaseFailure(error, reasonOf)
    }
  }

  async command(...command: readonly string[]): Promise<unknown> {
    try {
      return await this.#send(command)
    } catch (error) {
      throw databaseFailure(error, reasonOf)
    }
  }

  /** @throws StorageError if the writes of this connection have not reached enough replicas in time */
  async replicated(): Promise<void> {
    if (!this.#replicas) return
    const { count, timeout } = this.#replicas
    const reached = numberOf(await this.command('WAIT', String(count), String(timeout)))
    if (reached >= count) return
    throw new StorageError(
      'Too few replicas have the last write. Check the replication, or lower replicas.count.',
      { reason: 'too_few_replicas' },
    )
  }
}

/** The first word of an error of the server. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['READONLY', 'read_only'],
  ['OOM', 'out_of_memory'],
  ['LOADING', 'loading'],
  ['NOAUTH', 'not_allowed'],
  ['NOPERM', 'not_allowed'],
  ['WRONGPASS', 'not_allowed'],
  ['MOVED', 'wrong_node'],
  ['ASK', 'wrong_node'],
  ['CROSSSLOT', 'wrong_node'],
  ['BUSY', 'unavailable'],
  ['CLUSTERDOWN', 'unavailable'],
  ['MASTERDOWN', 'unavailable'],
  ['MISCONF', 'unavailable'],
  ['NOREPLICAS', 'unavailable'],
  ['TRYAGAIN', 'unavailable'],
])

/** Redis 6 puts its words and the place in the script before the error: `ERR Error running script (…): @user_script:9: -OOM …`. */
const WORD = /^(?:ERR (?:Error running script .*@user_script: ?\d+: )?)?-?([A-Z]+)\b/

function reasonOf({ message }: ForeignError): string | undefined {
  if (typeof message !== 'string') return undefined
  if (message.startsWith('ERR max number of clients reached')) return 'out_of_resources'
  if (message.includes("The user executing the script can't")) return 'not_allowed'
  return REASONS.get(WORD.exec(message)?.[1] ?? '')
}
