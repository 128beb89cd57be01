import { afterEach, describe, expect, it, vi } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { postgresFleet, postgresSchema } from '../../src/fleet/postgres.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { storedSession } from './describe-fleet.ts'

const SECRET = 'secret-of-a-session'

/** What each method rejects with. */
async function failuresOf(fleet: Fleet): Promise<unknown[]> {
  const holder = { fence: 1, owner: 'one' }
  const calls = [
    fleet.read('key'),
    fleet.replace('key', storedSession({ tags: ['tag'] }), undefined),
    fleet.remove('key', { id: 'a', rotation: 1, startedAt: 1 }),
    fleet.find('tag'),
    fleet.readLastUse('key'),
    fleet.acquire('key', 'one', undefined),
    fleet.present('key', holder, { id: 'a', rotation: 1 }),
  ]
  return Promise.all(
    calls.map((call) =>
      call.then(
        (value) => ({ resolved: value }),
        (error: unknown) => error,
      ),
    ),
  )
}

const textOfError = (error: unknown) =>
  JSON.stringify([String(error), error, Object(error).stack, Object(error).cause])

function expectStorageErrors(errors: readonly unknown[], reason: string): void {
  for (const error of errors) {
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ code: 'storage_failed', reason })
    expect(textOfError(error)).not.toContain(SECRET)
  }
}

describe('an error of Redis', () => {
  it.each([
    [`READONLY You can't write against a read only replica. ${SECRET}`, 'read_only'],
    [`OOM command not allowed ${SECRET}`, 'out_of_memory'],
    [`LOADING Redis is loading ${SECRET}`, 'loading'],
    [`NOPERM this user has no permissions ${SECRET}`, 'not_allowed'],
    [`MOVED 3999 127.0.0.1:6381 ${SECRET}`, 'wrong_node'],
    [`CLUSTERDOWN Hash slot not served ${SECRET}`, 'unavailable'],
    [`ERR max number of clients reached ${SECRET}`, 'out_of_resources'],
    [
      `ERR Error running script (call to f_5): @user_script:10: @user_script: 10: -READONLY You ${SECRET}`,
      'read_only',
    ],
    [
      `ERR Error running script (call to f_5): @user_script:10: @user_script: 10: -OOM command ${SECRET}`,
      'out_of_memory',
    ],
    [`ERR Error running script (call to f_5): @user_script:9: NOPERM this user ${SECRET}`, 'not_allowed'],
    [`ERR The user executing the script can't run this command or subcommand ${SECRET}`, 'not_allowed'],
    [`Connection is closed. ${SECRET}`, 'unavailable'],
    [`Command timed out ${SECRET}`, 'unavailable'],
    [`None of startup nodes is available ${SECRET}`, 'unavailable'],
    [`Cluster isn't ready and enableOfflineQueue options is false ${SECRET}`, 'unavailable'],
    [`The client is offline ${SECRET}`, 'unavailable'],
    [`Reached the max retries per request limit (which is 20). ${SECRET}`, 'unavailable'],
    [`Socket closed unexpectedly ${SECRET}`, 'unavailable'],
    [`ERR something else ${SECRET}`, 'Error'],
  ])('is a StorageError with a known reason: %s', async (message, reason) => {
    const fleet = redisFleet(async () => {
      throw new Error(message)
    })
    expectStorageErrors(await failuresOf(fleet), reason)
  })

  it('is a StorageError with the code of a system call', async () => {
    const fleet = redisFleet(async () => {
      throw Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' })
    })
    expectStorageErrors(await failuresOf(fleet), 'ECONNREFUSED')
  })

  it.each([undefined, null, SECRET, 7, {}])('may be any value: %s', async (thrown) => {
    const fleet = redisFleet(async () => {
      throw thrown
    })
    expectStorageErrors(await failuresOf(fleet), 'failed')
  })
})

describe('an error of PostgreSQL', () => {
  it.each([
    ['42P01', 'no_table'],
    ['42703', 'old_table'],
    ['25006', 'read_only'],
    ['25P02', 'failed_transaction'],
    ['28P01', 'not_allowed'],
    ['42501', 'not_allowed'],
    ['53300', 'out_of_resources'],
    ['57P01', 'unavailable'],
    ['55P03', 'unavailable'],
    ['08006', 'unavailable'],
    ['40001', 'conflict'],
    ['3D000', 'no_database'],
    ['26000', 'no_prepared_statement'],
    ['42P05', 'no_prepared_statement'],
    ['CONNECTION_CLOSED', 'unavailable'],
    ['22001', 'Error'],
    ['ECONNRESET', 'ECONNRESET'],
  ])('is a StorageError with a known reason: %s is %s', async (code, reason) => {
    const fleet = postgresFleet(async () => {
      throw Object.assign(new Error(`duplicate key ${SECRET}`), { code, detail: SECRET })
    })
    expectStorageErrors(await failuresOf(fleet), reason)
  })

  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])(
    'without a code is about a missing connection: %s',
    async (message) => {
      const fleet = postgresFleet(async () => {
        throw new Error(`${message} ${SECRET}`)
      })
      expectStorageErrors(await failuresOf(fleet), 'unavailable')
    },
  )

  it.each([
    ['42P01', 'Create its table with postgresSchema().'],
    ['42501', 'Check the user, the password and the permissions.'],
    ['57P01', 'Try again later.'],
  ])('says what to do: %s', async (code, advice) => {
    const fleet = postgresFleet(async () => {
      throw Object.assign(new Error(), { code })
    })
    await expect(fleet.read('key')).rejects.toThrow(advice)
  })

  it('a conflict of transactions is attempted again', async () => {
    let calls = 0
    const fleet = postgresFleet(async () => {
      if (++calls < 3) throw Object.assign(new Error(), { code: '40001' })
      return []
    })
    expect(await fleet.read('key')).toBeUndefined()
    expect(calls).toBe(3)
  })
})

describe('an answer that no fleet gives', () => {
  const nested = { a: [SECRET] }

  it.each([
    ['a text', SECRET],
    ['a list of texts', [SECRET, SECRET]],
    ['a list of objects', [nested, nested, nested]],
    ['an object', nested],
    ['a long text', 'x'.repeat(2_000_000)],
    ['a session with a rotation that is not a number', ['a', SECRET, '1', '9e15', '[]', 'box']],
    ['a session with tags that are not a list', ['a', '1', '1', '9e15', `{"a":"${SECRET}"}`, 'box']],
  ])('of Redis is refused and not quoted: %s', async (_, reply) => {
    const fleet = redisFleet(async () => reply)
    const [read, replaced, removed] = await failuresOf(fleet)
    expectStorageErrors([read, replaced, removed], 'invalid_answer')
  })

  it.each([
    ['a text', SECRET],
    ['a number', 7],
    ['nothing', undefined],
    ['an object without rows', nested],
    ['rows that are not objects', [SECRET]],
    ['rows that are nothing', [null]],
    ['rows without columns', [{}]],
    ['rows with other types', { rows: [{ id: nested, rotation: SECRET, lives: SECRET, tags: SECRET }] }],
  ])('of PostgreSQL is refused and not quoted: %s', async (_, answer) => {
    const fleet = postgresFleet(async () => answer)
    const [read, , removed] = await failuresOf(fleet)
    expectStorageErrors([read, removed], 'invalid_answer')
  })

  it('is not waited for by the engine: a command that hangs is the concern of its caller', async () => {
    const fleet = redisFleet(() => new Promise(() => {}))
    const first = await Promise.race([fleet.read('key'), Promise.resolve('hangs')])
    expect(first).toBe('hangs')
  })
})

describe('a message that no fleet sends', () => {
  it.each(['', 'x', '{}', '[]', '[1,2]', '["key"]', '["key",{}]', 'null'])('is ignored: %s', async (text) => {
    let deliver = (_: string) => {}
    const fleet = redisFleet({
      send: async () => 1,
      subscribe: (_, hear) => {
        deliver = hear
      },
    })
    const heard: string[] = []
    fleet.subscribe('key', (message) => heard.push(message))
    deliver(text)
    deliver('["other","not mine"]')
    deliver('["key","mine"]')
    expect(heard).toEqual(['mine'])
  })
})

describe('the subscription to a channel', () => {
  afterEach(() => void vi.useRealTimers())

  it('is one for many listeners that come and go, and ends when none has come for a while', async () => {
    vi.useFakeTimers()
    const counts = { begun: 0, ended: 0 }
    const fleet = redisFleet({
      send: async () => 1,
      subscribe: () => {
        counts.begun++
        return () => counts.ended++
      },
    })
    for (let request = 0; request < 100; request++) {
      const stop = fleet.subscribe(`invented ${request}`, () => {})
      await vi.advanceTimersByTimeAsync(5)
      stop()
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(counts).toEqual({ begun: 1, ended: 0 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(counts).toEqual({ begun: 1, ended: 1 })
    expect(vi.getTimerCount()).toBe(0)
  })

  it('begins again after a lost connection that never ends', async () => {
    vi.useFakeTimers()
    let begun = 0
    let lose = () => {}
    const fleet = redisFleet({
      send: async () => 1,
      subscribe: (_, __, lost) => {
        begun++
        lose = lost
        return () => new Promise(() => {})
      },
    })
    fleet.subscribe('key', () => {})
    await vi.advanceTimersByTimeAsync(1)
    lose()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(begun).toBe(2)
  })

  it('begins when the one before has ended, or takes too long to end', async () => {
    vi.useFakeTimers()
    const log: string[] = []
    const ends: (() => void)[] = []
    const fleet = redisFleet({
      send: async () => 1,
      subscribe: () => {
        log.push('begins')
        return () => new Promise<void>((resolve) => ends.push(resolve)).then(() => log.push('ended'))
      },
    })
    const endSoon = (stop: () => void) => {
      stop()
      return vi.advanceTimersByTimeAsync(300)
    }
    const listen = () => fleet.subscribe('key', () => {})
    await endSoon(listen())
    const stop = listen()
    await vi.advanceTimersByTimeAsync(300)
    expect(log).toEqual(['begins'])
    ends.shift()?.()
    await vi.advanceTimersByTimeAsync(0)
    expect(log).toEqual(['begins', 'ended', 'begins'])
    await endSoon(stop)
    listen()
    await vi.advanceTimersByTimeAsync(4_900)
    expect(log).toEqual(['begins', 'ended', 'begins'])
    await vi.advanceTimersByTimeAsync(200)
    expect(log).toEqual(['begins', 'ended', 'begins', 'begins'])
  })
})

describe('a wrong option', () => {
  it.each([
    [() => redisFleet(undefined as never), 'send'],
    [() => redisFleet({} as never), 'send'],
    [() => redisFleet(async () => 1, { lease: 0 }), 'lease'],
    [() => redisFleet(async () => 1, { lease: Number.NaN }), 'lease'],
    [() => redisFleet(async () => 1, { prefix: 7 as never }), 'prefix'],
    [() => redisFleet(async () => 1, { replicas: { count: 0, timeout: 1 } }), 'replicas.count'],
    [() => redisFleet(async () => 1, { replicas: { count: 1, timeout: 0 } }), 'replicas.timeout'],
    [() => postgresFleet(undefined as never), 'query'],
    [() => postgresFleet(async () => [], { lease: -1 }), 'lease'],
    [() => postgresFleet(async () => [], { listen: 7 as never }), 'listen'],
    [() => postgresFleet(async () => [], { table: 'a"; DROP TABLE users; --' }), 'table'],
    [() => postgresFleet(async () => [], { table: 'a.b.c' }), 'table'],
    [() => postgresSchema({ table: 'Sessions' }), 'table'],
    [() => postgresSchema({ table: '' }), 'table'],
    [() => postgresSchema({ table: 'x'.repeat(51) }), 'table'],
  ])('is a TypeError that names it: %s', (make, name) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(name)
  })
})
