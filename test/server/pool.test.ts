import { describe, expect, it, vi } from 'vitest'
import { defineProof } from '../../src/core/features/proof.ts'
import { sessionLimits } from '../../src/core/features/session-limits.ts'
import type { AuthOptions } from '../../src/core/options.ts'
import { findAll } from '../../src/fleet/find-all.ts'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { fleetMemory } from '../../src/server/fleet-memory.ts'
import { FleetStore } from '../../src/server/fleet-store.ts'
import { hashKey } from '../../src/server/hash-key.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import { type AuthPool, POOL_WORLD, type PoolEvent } from '../../src/server/pool-types.ts'
import { createWorld, quiet, type SignIn } from './fleet-setup.ts'

const ada = { username: 'ada' }
const eve = { username: 'eve' }
const token = (pool: AuthPool<SignIn>, key: string) => pool.use(key, (auth) => auth.getAccessToken())
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => error.code ?? error,
  )

/** Processes whose first refresh is answered by the server, and reaches them when the test says so. */
function lateRefresh(options: { notifies?: boolean } = {}) {
  const { functions, pool, pass } = createWorld({ jwt: true, ...options })
  const revoked: (string | undefined)[] = []
  let arrive = () => {}
  let answer = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const open = () =>
    pool({
      refresh: async (request) => {
        const tokens = await functions.refresh(request)
        arrive()
        await answered
        return tokens
      },
      revoke: ({ refreshToken }) => void revoked.push(refreshToken),
    })
  return { open, revoked, arrived, answer, pass }
}

/** Holds the answer of the next read of the database, which is outdated when the returned function releases it. */
function holdRead({ fleet }: ReturnType<typeof createWorld>['database']): () => void {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  const { read } = fleet
  vi.spyOn(fleet, 'read').mockImplementationOnce(async (key) => {
    const found = await read(key)
    await released
    return found
  })
  return release
}

describe('pool.use', () => {
  it('a session that one process began is found by its key in another one', async () => {
    const { pool } = createWorld()
    const { key, session } = await pool().signIn(ada)
    expect(key).toMatch(/^[\w-]{43}$/)
    const other = pool()
    expect(await token(other, key)).toMatch(/^at-/)
    expect(session.expiresAt).toBeGreaterThan(0)
    expect(other.counts).toMatchObject({ resident: 1, inUse: 0, opened: 1, refreshes: 0 })
  })

  it('tasks that come at once read a session once, and share it', async () => {
    const { pool, database } = createWorld()
    const { key } = await pool().signIn(ada)
    const other = pool()
    const before = database.count('read')
    const auths = await Promise.all(Array.from({ length: 20 }, () => other.use(key, (auth) => auth)))
    expect(new Set(auths).size).toBe(1)
    expect(database.count('read') - before).toBe(1)
    expect(await other.use(key, (auth) => auth)).toBe(auths[0])
  })

  it('no task gets the session of another key', async () => {
    const { pool } = createWorld({ jwt: true })
    const first = pool()
    const names = Array.from({ length: 30 }, (_, index) => `user${index}`)
    const keys = await Promise.all(names.map(async (username) => (await first.signIn({ username })).key))
    const other = pool({ resident: { most: 3 } })
    const subjectOf = (key: string) => other.use(key, (auth) => quiet().then(() => auth.session?.subject))
    const found = await Promise.all([...keys, ...keys].map(subjectOf))
    expect(found).toEqual([...names, ...names])
  })

  it.each(['unknown', '', 'k'.repeat(513), '__proto__'])(
    'a key that does not exist is refused: %s',
    async (key) => {
      const { pool } = createWorld()
      const task = vi.fn()
      const made = pool()
      expect(await codeOf(made.use(key, task))).toBe('signed_out')
      expect(task).not.toHaveBeenCalled()
      expect(made.counts.resident).toBe(0)
    },
  )

  it('an error of a task reaches its caller, and the session stays', async () => {
    const { pool } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    const error = new Error('of the app')
    await expect(made.use(key, () => Promise.reject(error))).rejects.toBe(error)
    await expect(
      made.use(key, () => {
        throw error
      }),
    ).rejects.toBe(error)
    expect(made.counts).toMatchObject({ resident: 1, inUse: 0 })
  })

  it('requests at the same time on two processes cause one refresh of an expired token', async () => {
    const { pool, server, pass } = createWorld()
    const pools = [pool(), pool()] as const
    const { key } = await pools[0].signIn(ada)
    await token(pools[1], key)
    await pass(61_000)
    const asked = Array.from({ length: 40 }, (_, index) => token(pools[index % 2] as AuthPool<SignIn>, key))
    await pass(1_000)
    expect(new Set(await Promise.all(asked)).size).toBe(1)
    expect(server.refreshes).toBe(1)
    expect(server.reuseDetections).toBe(0)
    expect(pools[0].counts.refreshes + pools[1].counts.refreshes).toBe(1)
  })

  it('a session that is not used is not refreshed, and costs nothing after it has left', async () => {
    const { clock, pool, server, database, pass } = createWorld()
    const made = pool({ resident: { idle: 10_000 } })
    const { key } = await made.signIn(ada)
    await pass(20_000)
    expect(made.counts.resident).toBe(0)
    expect(clock.pending).toBe(0)
    const before = database.calls.length
    await pass(600_000)
    expect(database.calls.length).toBe(before)
    expect(server.refreshes).toBe(0)
    const asked = token(made, key)
    await pass(10)
    expect(await asked).toMatch(/^at-/)
    expect(server.refreshes).toBe(1)
  })

  it('sessions leave in the order of their last use, and never while a task uses them', async () => {
    const { pool } = createWorld()
    const made = pool({ resident: { most: 2 } })
    const { key: a } = await made.signIn(ada)
    let finish = () => {}
    const used = made.use(a, () => new Promise<void>((resolve) => (finish = resolve)))
    await quiet()
    const keys = [a]
    for (let n = 0; n < 5; n++) keys.push((await made.signIn(eve)).key)
    expect(made.counts).toMatchObject({ resident: 2, inUse: 1 })
    await made.use(a, (auth) => expect(auth.state).toBe('authenticated'))
    expect(made.counts.opened).toBe(0)
    await token(made, keys[1] as string)
    expect(made.counts.opened).toBe(1)
    finish()
    await used
  })

  it('an old view of the database is renewed in the background when the session is used', async () => {
    const { pool, database, pass } = createWorld({ notifies: false })
    const [first, second] = [pool(), pool()]
    const { key } = await first.signIn(ada)
    await token(second, key)
    await first.use(key, (auth) => auth.refresh())
    const old = await token(second, key)
    await pass(1_001)
    const reads = database.count('read')
    await Promise.all(Array.from({ length: 20 }, () => token(second, key)))
    await pass(10)
    // One to notice the change, and one of the session.
    expect(database.count('read') - reads).toBe(2)
    expect(await token(second, key)).not.toBe(old)
    expect(await token(second, key)).toBe(await token(first, key))
  })

  it('while the database is down, a resident session serves requests, and another one is a StorageError', async () => {
    const { pool, database, pass } = createWorld()
    const [first, second] = [pool(), pool()]
    const { key } = await first.signIn(ada)
    database.down = true
    for (let second = 0; second < 10; second++) {
      expect(await token(first, key)).toMatch(/^at-/)
      await pass(1_000)
    }
    expect(await codeOf(token(second, key))).toBe('storage_failed')
    database.down = false
    expect(await token(second, key)).toBe(await token(first, key))
  })

  it('a database that does not answer is a StorageError after timeouts.storage, and later calls succeed', async () => {
    const { pool, database, pass } = createWorld()
    const [first, second] = [pool(), pool()]
    const { key } = await first.signIn(ada)
    database.silent = true
    const calls = [
      codeOf(token(second, key)),
      codeOf(second.end({ key: 'another' })),
      codeOf(second.end({ subject: 'ada' })),
      codeOf(second.signIn(eve)),
      codeOf(second.reseal()),
      codeOf(fleetMemory(second[POOL_WORLD].fleet).remember('name', 1_000)),
    ]
    await pass(1_999)
    database.silent = false
    expect(await Promise.race([...calls, quiet().then(() => 'waiting')])).toBe('waiting')
    await pass(10_000)
    expect(await Promise.all(calls)).toEqual(calls.map(() => 'storage_failed'))
    expect(await token(second, key)).toBe(await token(first, key))
    expect(await second.end({ key })).toBe(1)
  })

  it('a session that cannot be opened is a StorageError with the reason, and stays in the database', async () => {
    const { pool, database } = createWorld()
    const { key } = await pool().signIn(ada)
    const stranger = pool({ keys: keyRing({ other: new Uint8Array(32).fill(9) }) })
    await expect(token(stranger, key)).rejects.toMatchObject({
      code: 'storage_failed',
      reason: 'unknown_key',
    })
    expect(database.stored.size).toBe(1)
    expect(stranger.counts.resident).toBe(0)
  })

  it('a session that the database lost is written again by a process that holds it', async () => {
    const { pool, database, pass } = createWorld()
    const [first, second] = [pool(), pool()]
    const { key } = await first.signIn(ada)
    const hash = await hashKey(key)
    // As an eviction: without a trace.
    const kept = await database.inner.read(hash)
    const spy = vi.spyOn(database.fleet, 'read').mockResolvedValueOnce(undefined)
    expect(await codeOf(token(second, key))).toBe('signed_out')
    spy.mockRestore()
    await database.inner.remove(hash, { id: 'another', rotation: 0, startedAt: 0 })
    expect(await database.inner.read(hash)).toEqual(kept)
    await pass(5_001)
    expect(await token(second, key)).toBe(await token(first, key))
  })
})

describe('pool.signIn', () => {
  it('each sign-in gets a new key, and ends the session of the old one', async () => {
    const { pool, server } = createWorld({ jwt: true })
    const [first, second] = [pool(), pool()]
    const planted = await first.signIn(eve)
    await token(second, planted.key)
    const { key } = await first.signIn(ada, planted.key)
    expect(key).not.toBe(planted.key)
    await quiet()
    for (const made of [first, second]) expect(await codeOf(token(made, planted.key))).toBe('signed_out')
    expect(await second.use(key, (auth) => auth.session?.subject)).toBe('ada')
    expect(server.revocations).toBe(1)
  })

  it('a new sign-in of the same user does not revoke the tokens of the old session', async () => {
    const { pool, server } = createWorld({ jwt: true })
    const made = pool()
    const old = await made.signIn(ada)
    const { key } = await made.signIn(ada, old.key)
    await quiet()
    expect(await codeOf(token(made, old.key))).toBe('signed_out')
    expect(await token(made, key)).toMatch(/./)
    expect(server.revocations).toBe(0)
  })

  it.each([
    ['first', 'with', true],
    ['second', 'with', true],
    ['first', 'without', false],
    ['second', 'without', false],
  ] as const)(
    'a new sign-in of the same user does not revoke what a refresh of the old session brings in the %s process, %s messages',
    async (where, _, notifies) => {
      const { open, revoked, arrived, answer, pass } = lateRefresh({ notifies })
      const processes = { first: open(), second: open() }
      const old = await processes.first.signIn(ada)
      const refreshed = codeOf(processes[where].use(old.key, (auth) => auth.refresh()))
      await arrived
      const { key } = await processes.first.signIn(ada, old.key)
      await pass(10)
      answer()
      await pass(1_000)
      expect(await refreshed).toBe('signed_out')
      expect(revoked).toEqual([])
      expect(await token(processes.second, key)).toMatch(/./)
    },
  )

  it('a new sign-in of another user revokes what a refresh of the old session brings', async () => {
    const { open, revoked, arrived, answer, pass } = lateRefresh()
    const made = open()
    const old = await made.signIn(ada)
    const refreshed = codeOf(made.use(old.key, (auth) => auth.refresh()))
    await arrived
    await made.signIn(eve, old.key)
    await pass(10)
    answer()
    await pass(1_000)
    expect(await refreshed).toBe('signed_out')
    expect(new Set(revoked).size).toBe(2)
  })

  it('a key that was never issued is not taken over by a sign-in', async () => {
    const { pool } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada, 'chosen by an attacker')
    expect(key).not.toBe('chosen by an attacker')
    expect(await codeOf(token(made, 'chosen by an attacker'))).toBe('signed_out')
  })

  it('dispose waits for a sign-in, and the session stays in the database', async () => {
    const { functions, pool, pass } = createWorld()
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const signIn = (user: SignIn) => answered.then(() => functions.signIn(user))
    const made = pool({ signIn })
    const signedIn = made.signIn(ada)
    await quiet()
    let isDisposed = false
    const disposed = made.dispose().then(() => {
      isDisposed = true
    })
    await pass(1_000)
    expect(isDisposed).toBe(false)
    answer()
    await pass(1_000)
    await disposed
    const { key } = await signedIn
    expect(await token(pool(), key)).toMatch(/^at-/)
  })

  it('a sign-in that outlasts dispose leaves nothing in memory', async () => {
    const { functions, pool, pass } = createWorld()
    const signIn = (user: SignIn) =>
      new Promise<void>((resolve) => void answers.push(resolve)).then(() => functions.signIn(user))
    const answers: (() => void)[] = []
    const made = pool({ signIn, timeouts: { hold: 1_000, signIn: 60_000 } })
    const signedIn = made.signIn(ada)
    await quiet()
    const disposed = made.dispose()
    await pass(2_000)
    await disposed
    for (const answer of answers) answer()
    await pass(10)
    expect(await token(pool(), (await signedIn).key)).toMatch(/^at-/)
    expect(made.counts.resident).toBe(0)
  })

  it('a sign-in that fails leaves nothing behind', async () => {
    const { pool, database } = createWorld()
    const made = pool({ signIn: () => Promise.reject(new TypeError('wrong password')) })
    await expect(made.signIn(ada)).rejects.toThrow('wrong password')
    expect(made.counts.resident).toBe(0)
    expect(database.stored.size).toBe(0)
  })

  it('a sign-in that cannot be stored fails, and its tokens are revoked', async () => {
    const { pool, database, server, pass } = createWorld()
    const made = pool()
    database.down = true
    const failed = codeOf(made.signIn(ada))
    await pass(5_000)
    expect(await failed).toBe('storage_failed')
    expect(server.revocations).toBe(1)
    expect(made.counts.resident).toBe(0)
  })
})

describe('pool.end', () => {
  it.each([
    ['a text', 'secret'],
    ['nothing', undefined],
    ['no name', {}],
    ['a missing sid', { sid: undefined }],
    ['a missing subject', { subject: undefined }],
    ['a subject that is no text', { subject: 7 }],
    ['two names', { subject: 'ada', sid: undefined }],
  ])('ends no session if it is given %s', async (_, who) => {
    const { pool } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    const error = await made.end(who as never).catch((error) => error)
    expect(error).toEqual(new TypeError('pool.end: give either key or subject or sid, as a text.'))
    expect(await codeOf(token(made, key))).toBe('done')
  })

  it('a sign-out in one process ends the session in all of them at once, and revokes its tokens', async () => {
    const { pool, server } = createWorld()
    const pools = [pool(), pool(), pool()] as const
    const { key } = await pools[0].signIn(ada)
    for (const made of pools) await token(made, key)
    expect(await pools[2].end({ key })).toBe(1)
    await quiet()
    for (const made of pools) {
      expect(await codeOf(token(made, key))).toBe('signed_out')
      expect(made.counts.resident).toBe(0)
    }
    expect(server.revocations).toBe(1)
    expect(await pools[0].end({ key })).toBe(0)
  })

  it('revokes the tokens of sessions that prove their key, too', async () => {
    const { pool, server } = createWorld()
    const proof = defineProof({
      prove: async ({ accessToken }) => ({ authorization: `DPoP ${accessToken}`, dpop: 'proof' }),
      heed: () => undefined,
      keyId: async () => 'key-1',
    })
    const made = pool({ proof })
    const { key } = await made.signIn(ada)
    await made.end({ key })
    await quiet()
    expect(server.revocations).toBe(1)
  })

  it.each([1_001, 30_000])(
    'without notifications no task elsewhere uses the session %i ms later, and its tokens are revoked once',
    async (later) => {
      const { pool, server, pass } = createWorld({ notifies: false })
      const [first, second] = [pool(), pool()]
      const { key } = await first.signIn(ada)
      await token(second, key)
      await first.end({ key })
      await pass(later)
      const task = vi.fn()
      const uses = Array.from({ length: 5 }, () => codeOf(second.use(key, task)))
      expect(await Promise.all(uses)).toEqual(Array(5).fill('signed_out'))
      expect(task).not.toHaveBeenCalled()
      expect(server.revocations).toBe(1)
    },
  )

  it('without notifications no task waits for a database that does not answer, except the first one', async () => {
    const { pool, database, pass } = createWorld({ notifies: false })
    const made = pool()
    const { key } = await made.signIn(ada)
    database.silent = true
    await pass(1_001)
    const used = token(made, key)
    await pass(2_000)
    expect(await used).toMatch(/^at-/)
    await pass(1_001)
    expect(await token(made, key)).toMatch(/^at-/)
  })

  it('a process that does not hold the session revokes its tokens as well', async () => {
    const { pool, server } = createWorld()
    const { key } = await pool().signIn(ada)
    const other = pool()
    expect(await other.end({ key })).toBe(1)
    await quiet()
    expect(server.revocations).toBe(1)
  })

  it('with revoke: false no process revokes anything', async () => {
    const { pool, server } = createWorld()
    const pools = [pool(), pool()] as const
    for (const made of pools) {
      const { key } = await pools[0].signIn(ada)
      for (const one of pools) await token(one, key)
      await made.end({ key }, { revoke: false })
      await quiet()
      for (const one of pools) expect(await codeOf(token(one, key))).toBe('signed_out')
    }
    expect(server.revocations).toBe(0)
  })

  it('all sessions of a user end by the subject, and those of other users stay', async () => {
    const { pool } = createWorld({ jwt: true })
    const [first, second] = [pool(), pool()]
    const keys = [await first.signIn(ada), await second.signIn(ada), await first.signIn(ada)]
    const other = await first.signIn(eve)
    expect(await second.end({ subject: 'ada' })).toBe(3)
    await quiet()
    for (const { key } of keys) expect(await codeOf(token(first, key))).toBe('signed_out')
    expect(await token(first, other.key)).toMatch(/./)
    expect(await second.end({ subject: 'nobody' })).toBe(0)
  })

  it('all sessions of a user end at once, also if the server does not answer revocations', async () => {
    const { pool, database, pass } = createWorld({ jwt: true })
    const silent = { revoke: () => new Promise<never>(() => {}) }
    const [first, second] = [pool(silent), pool(silent)]
    const keys = await Promise.all(Array.from({ length: 40 }, () => first.signIn(ada)))
    for (const { key } of keys.slice(0, 20)) await second.use(key, () => {})
    const ended = second.end({ subject: 'ada' })
    await quiet()
    expect(database.stored.size).toBe(0)
    await pass(20_000)
    expect(await ended).toBe(40)
  })

  it('sessions of a user that are not held here end and are revoked 16 at once', async () => {
    const { pool, database, clock, pass } = createWorld({ jwt: true })
    const most = { publish: 0, revoke: 0 }
    const running = { publish: 0, revoke: 0 }
    const slow = async (name: 'publish' | 'revoke') => {
      most[name] = Math.max(most[name], ++running[name])
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 100))
      running[name]--
    }
    const first = pool({ revoke: () => {} })
    for (let index = 0; index < 100; index++) await first.signIn(ada)
    const publish = vi.spyOn(database.fleet, 'publish').mockImplementation(() => slow('publish'))
    const revoke = vi.fn(() => slow('revoke'))
    const ended = pool({ revoke }).end({ subject: 'ada' })
    await pass(2_000)
    expect(await ended).toBe(100)
    expect([publish.mock.calls.length, revoke.mock.calls.length]).toEqual([100, 100])
    expect(most).toEqual({ publish: 16, revoke: 16 })
  })

  it('sessions that the database does not end keep no others alive while the server does not answer revocations', async () => {
    const { pool, database, pass } = createWorld({ jwt: true })
    let revoking = 0
    const revoke: AuthOptions['revoke'] = (_, { signal }) => {
      revoking++
      signal.addEventListener('abort', () => void revoking--)
      return new Promise<never>(() => {})
    }
    const { remove } = database.fleet
    const [made, other] = [pool({ revoke }), pool({ revoke: () => {} })]
    const held: string[] = []
    for (let index = 0; index < 20; index++) held.push((await made.signIn(ada)).key)
    const failing = new Set(database.stored.keys())
    for (let index = 0; index < 40; index++) await other.signIn(ada)
    vi.spyOn(database.fleet, 'remove').mockImplementation(async (key, ended) => {
      if (failing.has(key)) throw new Error('READONLY')
      return remove(key, ended)
    })
    const ended = codeOf(made.end({ subject: 'ada' }))
    await quiet()
    expect(new Set(database.stored.keys())).toEqual(failing)
    for (const key of held) expect(await made.use(key, ({ session }) => session)).toBeUndefined()
    expect(revoking).toBe(20)
    expect(await ended).toBe('storage_failed')
    await pass(25_000)
    expect(revoking).toBe(0)
  })

  it('a session ends by the sid of its ID token', async () => {
    const { pool, server } = createWorld()
    const idToken = (sid: string) =>
      `e30.${Buffer.from(JSON.stringify({ sub: 'ada', sid })).toString('base64url')}.x`
    let sid = 's1'
    const signIn = async () => ({ ...server.issue('ada'), id_token: idToken(sid) })
    const [first, second] = [pool({ signIn }), pool()]
    const one = await first.signIn(ada)
    sid = 's2'
    const two = await first.signIn(ada)
    await first.use(one.key, (auth) => auth.refresh())
    expect(await second.end({ sid: 's1' })).toBe(1)
    await quiet()
    expect(await codeOf(token(first, one.key))).toBe('signed_out')
    expect(await token(first, two.key)).toMatch(/^at-/)
  })

  it.each([
    ['discarded and revoked', {}, 2, true],
    ['only discarded if the end revokes nothing', { revoke: false }, 0, true],
    ['discarded and revoked without messages', {}, 2, false],
    ['only discarded without messages if the end revokes nothing', { revoke: false }, 0, false],
  ])('a refresh that runs elsewhere is %s', async (_, options, revocations, notifies) => {
    const { open, revoked, arrived, answer, pass } = lateRefresh({ notifies })
    const [first, second] = [open(), open()]
    const { key } = await first.signIn(ada)
    const refreshed = codeOf(first.use(key, (auth) => auth.refresh()))
    await arrived
    await second.end({ key }, options)
    await pass(10)
    answer()
    await pass(1_000)
    expect(await refreshed).toBe('signed_out')
    expect(new Set(revoked).size).toBe(revocations)
    expect(await codeOf(token(first, key))).toBe('signed_out')
  })

  it('a sign-out while the database is down fails, and ends the session here', async () => {
    const { pool, database, server, pass } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    database.down = true
    const ended = codeOf(made.end({ key }))
    await pass(1_000)
    expect(await ended).toBe('storage_failed')
    expect(server.revocations).toBe(1)
    expect(made.counts.resident).toBe(0)
  })

  it('a sign-out holds although the database had lost the session, and another process still holds it', async () => {
    const { pool, pass, clock } = createWorld()
    let inner = memoryFleet({ now: clock.now })
    const fleet = new Proxy(inner, { get: (_, name) => inner[name as keyof Fleet] })
    const [first, second] = [pool({}, { fleet }), pool({}, { fleet })]
    const { key } = await first.signIn(ada)
    inner = memoryFleet({ now: clock.now })
    expect(await second.end({ key })).toBe(0)
    await pass(6_000)
    // This use looks in the database.
    await codeOf(token(first, key))
    await pass(1_000)
    expect(await codeOf(token(first, key))).toBe('signed_out')
    expect(await codeOf(token(second, key))).toBe('signed_out')
  })

  it('a session that is being opened while it ends is not used afterwards', async () => {
    const { pool } = createWorld()
    const { key } = await pool().signIn(ada)
    const other = pool()
    const [used] = await Promise.all([codeOf(token(other, key)), other.end({ key })])
    expect(['done', 'signed_out']).toContain(used)
    await quiet()
    expect(await codeOf(token(other, key))).toBe('signed_out')
  })

  it.each([{ subject: 'ada' }, { sid: 's1' }, 'key'] as const)(
    'a session that was read before it ended is not used afterwards, without notifications: %o',
    async (given) => {
      const { pool, server, database, pass } = createWorld({ jwt: true, notifies: false })
      const claims = Buffer.from(JSON.stringify({ sub: 'ada', sid: 's1' })).toString('base64url')
      const signIn = async () => ({ ...server.issue('ada'), id_token: `e30.${claims}.x` })
      const { key } = await pool({ signIn }).signIn(ada)
      const other = pool()
      const release = holdRead(database)
      const used = codeOf(token(other, key))
      await quiet()
      const ended = other.end(given === 'key' ? { key } : given)
      await quiet()
      release()
      await pass(10)
      expect(await ended).toBe(1)
      expect(['done', 'signed_out']).toContain(await used)
      expect(await codeOf(token(other, key))).toBe('signed_out')
      expect(server.revocations).toBe(1)
    },
  )

  it('a session that ends elsewhere while it is being opened is refused', async () => {
    const { pool, database, pass } = createWorld()
    const first = pool()
    const { key } = await first.signIn(ada)
    const other = pool()
    const release = holdRead(database)
    const used = codeOf(token(other, key))
    await quiet()
    await first.end({ key })
    release()
    await pass(10)
    expect(await used).toBe('signed_out')
    expect(other.counts.resident).toBe(0)
  })

  it('a session in use whose record is missing is looked at, also if that was read before', async () => {
    const { pool } = createWorld()
    const rest = { ttl: 1, lastUseEvery: 1, failed: () => {}, succeeded: () => {} }
    const store = new FleetStore({ ...pool()[POOL_WORLD], ...rest }, 'a hash')
    const onChange = vi.fn()
    store.subscribe(onChange)
    expect(await store.read()).toBeUndefined()
    await store.check()
    expect(onChange).not.toHaveBeenCalled()
    await store.check(true)
    expect(onChange).toHaveBeenCalledOnce()
  })

  it('a task may sign out its own session', async () => {
    const { pool, database } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    await made.use(key, (auth) => auth.signOut())
    expect(made.counts.resident).toBe(0)
    expect(database.stored.size).toBe(0)
  })
})

describe('revocations that take long', () => {
  const createSlow = () => {
    const world = createWorld()
    return { ...world, made: world.pool({ revoke: () => new Promise<never>(() => {}) }) }
  }

  it('keep no user waiting at a sign-out', async () => {
    const { made } = createSlow()
    const { key } = await made.signIn(ada)
    expect(await made.end({ key })).toBe(1)
    expect(made.counts.resident).toBe(0)
    expect(await codeOf(token(made, key))).toBe('signed_out')
  })

  it('keep no user waiting at a sign-in after another one', async () => {
    const { made } = createSlow()
    const old = await made.signIn(ada)
    const { key } = await made.signIn(eve, old.key)
    expect(await codeOf(token(made, old.key))).toBe('signed_out')
    expect(await token(made, key)).toMatch(/^at-/)
  })

  it('keep no user waiting whose session cannot be stored', async () => {
    const { made, database, pass } = createSlow()
    database.down = true
    const failed = codeOf(made.signIn(ada))
    await pass(1)
    expect(await failed).toBe('storage_failed')
  })

  it('leave no subscription behind of a session that cannot be stored', async () => {
    const { made, database, pass } = createSlow()
    const stops: (() => void)[] = []
    const { subscribe } = database.fleet
    vi.spyOn(database.fleet, 'subscribe').mockImplementation((...given) => {
      const stop = vi.fn(subscribe(...given) as () => void)
      stops.push(stop)
      return stop
    })
    database.down = true
    const failed = codeOf(made.signIn(ada))
    await pass(10_000)
    expect(await failed).toBe('storage_failed')
    expect(stops).toHaveLength(1)
    expect(stops[0]).toHaveBeenCalledOnce()
  })
})

describe('revocations that fail', () => {
  it('tokens that the server did not revoke are kept sealed, and revoked by a process that is used later', async () => {
    const { pool, server, database, functions, pass } = createWorld()
    let isDown = true
    const revoke: typeof functions.revoke = (tokens) =>
      isDown ? Promise.reject(new Response(null, { status: 503 })) : functions.revoke(tokens)
    const first = pool({ revoke })
    const { key } = await first.signIn(ada)
    const secret = (await token(first, key)).slice(0, 20)
    const ended = first.end({ key })
    await pass(5_000)
    expect(await ended).toBe(1)
    expect(database.stored.size).toBe(1)
    expect(JSON.stringify([...database.stored])).not.toContain(secret)
    isDown = false
    const second = pool({ revoke })
    await second.signIn(eve)
    await quiet()
    expect(server.revocations).toBe(1)
    expect(database.stored.size).toBe(1)
    const [left] = [...database.stored.values()]
    expect(left?.tags).not.toContain('revocation')
  })

  it('tokens that the server refuses to revoke are not kept', async () => {
    const { pool, database, pass } = createWorld()
    const revoke = () => Promise.reject(Response.json({ error: 'invalid_client' }, { status: 401 }))
    const made = pool({ revoke })
    const { key } = await made.signIn(ada)
    const ended = made.end({ key })
    await pass(5_000)
    await ended
    expect(database.stored.size).toBe(0)
  })

  it('those that fail for good leave room for others, and those that are refused are removed', async () => {
    const { pool, database, pass } = createWorld({ accessTokenLifetime: 86_400_000 })
    let answer = () => new Response(null, { status: 503 })
    const revoked: unknown[] = []
    const given = {
      revoke: ({ refreshToken }: { refreshToken?: string | undefined }) => {
        revoked.push(refreshToken)
        return Promise.reject(answer())
      },
    }
    const unknown = pool({ ...given, keys: keyRing({ other: new Uint8Array(32).fill(9) }) })
    const known = pool(given)
    const end = async (made: AuthPool<SignIn>) => {
      const { key } = await made.signIn(ada)
      const ended = made.end({ key })
      await pass(5_000)
      await ended
    }
    for (let count = 0; count < 40; count++) await end(unknown)
    await end(known)
    expect(await findAll(database.inner, 'revocation')).toHaveLength(41)
    answer = () => Response.json({ error: 'invalid_client' }, { status: 401 })
    revoked.length = 0
    for (let minute = 0; minute < 4; minute++) {
      await known.signIn(eve)
      await pass(61_000)
    }
    expect(revoked).toHaveLength(1)
    expect(await findAll(database.inner, 'revocation')).toHaveLength(40)
  })

  it('an attempt that succeeds at the second time leaves nothing to do', async () => {
    const { pool, server, database, functions, pass } = createWorld()
    let calls = 0
    const revoke: typeof functions.revoke = (tokens) =>
      ++calls === 1 ? Promise.reject(new TypeError('fetch failed')) : functions.revoke(tokens)
    const made = pool({ revoke })
    const { key } = await made.signIn(ada)
    const ended = made.end({ key })
    await pass(5_000)
    await ended
    expect(server.revocations).toBe(1)
    expect(database.stored.size).toBe(0)
  })
})

describe('pool.reseal', () => {
  it('after a change of keys all sessions are sealed with the new one, and the old one is not needed any more', async () => {
    const { pool, server } = createWorld()
    const [k1, k2] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const old = pool({ keys: keyRing({ k1 }) })
    const keys = await Promise.all(Array.from({ length: 25 }, async () => (await old.signIn(ada)).key))
    const both = pool({ keys: keyRing({ k2, k1 }) })
    await both.use(keys[0] as string, (auth) => auth.refresh())
    expect(await both.reseal({ most: 10 })).toBe(10)
    expect(await both.reseal()).toBe(14)
    expect(await both.reseal()).toBe(0)
    const current = pool({ keys: keyRing({ k2 }) })
    for (const key of keys) expect(await token(current, key)).toMatch(/^at-/)
    expect(server.reuseDetections).toBe(0)
  })
})

describe('pool.reseal after each of several changes', () => {
  it('seals sessions again that were used, resealed and only stored since the first key', async () => {
    const { pool, pass } = createWorld()
    const secrets = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))
    const ring = (...names: number[]) =>
      keyRing(Object.fromEntries(names.map((name) => [`k${name}`, secrets[name - 1]])))
    const first = pool({ keys: ring(1) })
    const keys = await Promise.all([ada, eve, ada].map(async (user) => (await first.signIn(user)).key))
    for (const next of [2, 3, 4]) {
      const both = pool({ keys: ring(next, next - 1) })
      // One session is refreshed with the key before, one with the new one, and one is not used at all.
      await pass(61_000)
      await token(pool({ keys: ring(next - 1, next) }), keys[0] as string)
      await token(both, keys[1] as string)
      await both.reseal()
      expect(await both.reseal()).toBe(0)
      expect(both.counts.unreadable).toBe(0)
      const current = pool({ keys: ring(next) })
      for (const key of keys) expect(await token(current, key)).toMatch(/^at-/)
    }
  })
})

describe('pool.reseal of what is not in order', () => {
  const [k1, k2, foreign] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]

  it('skips and counts sessions that cannot be opened, and seals all others', async () => {
    const { pool, database } = createWorld()
    const old = pool({ keys: keyRing({ k1 }) })
    const keys = await Promise.all(Array.from({ length: 250 }, async () => (await old.signIn(ada)).key))
    const [damaged = '', ...others] = keys
    const hash = await hashKey(damaged)
    const stored = await database.inner.read(hash)
    if (!stored) throw new Error('The session is not stored.')
    await database.inner.replace(hash, { ...stored, box: `${stored.box.slice(0, -4)}AAAA` }, stored)
    const stranger = pool({ keys: keyRing({ k1: foreign }) })
    await stranger.signIn(ada)
    const both = pool({ keys: keyRing({ k2, k1 }) })
    expect(await both.reseal()).toBe(others.length)
    expect(both.counts.unreadable).toBe(2)
    expect(await both.reseal()).toBe(0)
    const current = pool({ keys: keyRing({ k2 }) })
    for (const key of others) expect(await token(current, key)).toMatch(/^at-/)
    database.down = true
    expect(await codeOf(both.reseal())).toBe('storage_failed')
  })

  it('goes through a database that gives its sessions in parts, however long all of them take together', async () => {
    const { pool, database, pass, clock } = createWorld()
    const old = pool({ keys: keyRing({ k1 }) })
    const keys = await Promise.all(Array.from({ length: 40 }, async () => (await old.signIn(ada)).key))
    const find: Fleet['find'] = async (tag, cursor = '0') => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 500))
      const all = [...(await findAll(database.inner, tag))].sort()
      const next = Number(cursor) + 5
      return { keys: all.slice(Number(cursor), next), cursor: next < all.length ? String(next) : undefined }
    }
    const both = pool({ keys: keyRing({ k2, k1 }) }, { fleet: { ...database.fleet, find } })
    const sealed: number[] = []
    const resealed = (async () => {
      do sealed.push(await both.reseal({ most: 15 }))
      while (sealed.at(-1) !== 0)
    })()
    await pass(60_000)
    await resealed
    expect(sealed).toEqual([15, 15, 10, 0])
    const current = pool({ keys: keyRing({ k2 }) })
    for (const key of keys) expect(await token(current, key)).toMatch(/^at-/)
  })

  it('goes on if another call of it fails meanwhile', async () => {
    const { pool, database, pass, clock } = createWorld()
    const old = pool({ keys: keyRing({ k1 }) })
    for (let count = 0; count < 6; count++) await old.signIn(ada)
    const find: Fleet['find'] = async (tag, cursor = '0') => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 100))
      const keys = (await findAll(database.inner, tag)).slice(Number(cursor), Number(cursor) + 1)
      return { keys, cursor: keys.length > 0 ? String(Number(cursor) + 1) : undefined }
    }
    const replace = vi.fn(database.fleet.replace).mockRejectedValueOnce(new Error('lost'))
    const both = pool({ keys: keyRing({ k2, k1 }) }, { fleet: { ...database.fleet, find, replace } })
    const calls = [codeOf(both.reseal({ most: 1 })), both.reseal({ most: 4 })]
    await pass(20_000)
    expect(await Promise.all(calls)).toEqual(['storage_failed', 4])
  })

  it('returns 0 only after a pass that has found nothing to seal', async () => {
    const { pool } = createWorld()
    const old = pool({ keys: keyRing({ k1 }) })
    await Promise.all(Array.from({ length: 4 }, () => old.signIn(ada)))
    const both = pool({ keys: keyRing({ k2, k1 }) })
    expect(await both.reseal({ most: 4 })).toBe(4)
    await old.signIn(eve)
    expect(await both.reseal({ most: 4 })).toBe(1)
    expect(await both.reseal({ most: 4 })).toBe(0)
  })

  it('seals tokens again that are still to be revoked, so that they are revoked without the old key', async () => {
    const { pool, server, database, functions, pass } = createWorld()
    let isDown = true
    const revoke: typeof functions.revoke = (tokens) =>
      isDown ? Promise.reject(new Response(null, { status: 503 })) : functions.revoke(tokens)
    const old = pool({ revoke, keys: keyRing({ k1 }) })
    const { key } = await old.signIn(ada)
    const ended = old.end({ key })
    await pass(5_000)
    await ended
    expect(await pool({ keys: keyRing({ k2, k1 }) }).reseal()).toBe(1)
    isDown = false
    const current = pool({ revoke, keys: keyRing({ k2 }) })
    await current.signIn(eve)
    await quiet()
    expect(server.revocations).toBe(1)
    expect(await findAll(database.inner, 'revocation')).toEqual([])
  })
})

describe('pool.on', () => {
  it('events carry the hash of the key, and no token', async () => {
    const { pool, pass } = createWorld()
    const made = pool()
    const events: PoolEvent[] = []
    made.on('*', (event) => events.push(event))
    const { key } = await made.signIn(ada)
    await made.use(key, (auth) => auth.refresh())
    await made.end({ key })
    await pass(100)
    const types = events.map(({ type }) => type)
    for (const type of ['signedIn', 'refreshed', 'signedOut', 'transition']) expect(types).toContain(type)
    expect(new Set(events.map((event) => event.key))).toEqual(new Set([await hashKey(key)]))
    expect(JSON.stringify(events)).not.toMatch(new RegExp(`${key}|[ar]t-\\d+-\\d+-`))
  })

  it('a listener receives its type only, may throw, and can be removed', async () => {
    const { pool } = createWorld()
    const made = pool()
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    const listener = vi.fn(() => {
      throw new Error('of a listener')
    })
    const remove = made.on('signedIn', listener)
    await made.signIn(ada)
    remove()
    await made.signIn(ada)
    expect(listener).toHaveBeenCalledTimes(1)
    expect(reported).toHaveBeenCalled()
  })
})

describe('limits in a pool', () => {
  it('a use in one process counts in another, and is written ten times within the idle limit at most', async () => {
    const { pool, database, pass } = createWorld({ accessTokenLifetime: 3_600_000 })
    const limits = sessionLimits({ idle: 600_000 })
    const [first, second] = [pool({ limits }), pool({ limits })]
    const { key } = await first.signIn(ada)
    await token(second, key)
    for (let minute = 0; minute < 15; minute++) {
      await pass(60_000)
      await token(first, key)
    }
    expect(database.count('writeLastUse')).toBeLessThanOrEqual(18)
    expect(await token(second, key)).toMatch(/^at-/)
    await pass(700_000)
    const asked = codeOf(token(second, key))
    await pass(3_000)
    expect(await asked).toBe('session_expired')
  })
})

describe('pool.dispose', () => {
  it('tokens of sessions that ended are revoked before it resolves', async () => {
    const { pool, clock, pass } = createWorld()
    const revoked: unknown[] = []
    const slow: AuthOptions['revoke'] = async ({ refreshToken }) => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 2_000))
      revoked.push(refreshToken)
    }
    const [first, second] = [pool({ revoke: slow }), pool({ revoke: slow })]
    const [held, other] = [await first.signIn(ada), await second.signIn(ada)]
    for (const { key } of [held, other]) expect(await first.end({ key })).toBe(1)
    expect(revoked).toHaveLength(0)
    const disposed = first.dispose()
    await pass(3_000)
    await disposed
    expect(revoked).toHaveLength(2)
  })

  it('tokens of a session that is just being ended are revoked before it resolves', async () => {
    const { pool, server, database, pass } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    const { remove } = database.fleet
    let answer = () => {}
    const answered = new Promise<void>((resolve) => (answer = resolve))
    vi.spyOn(database.fleet, 'remove').mockImplementationOnce(async (...given) => {
      await answered
      return remove(...given)
    })
    const ended = made.end({ key })
    await quiet()
    const disposed = made.dispose()
    await pass(100)
    answer()
    await pass(100)
    await disposed
    expect(await ended).toBe(1)
    expect(server.revocations).toBe(1)
  })

  it('tokens that cannot be revoked before it gives up are kept', async () => {
    const { pool, database, pass } = createWorld({ jwt: true })
    const silent = { revoke: () => new Promise<never>(() => {}), timeouts: { hold: 1_000 } }
    const [first, second] = [pool(silent), pool(silent)]
    for (let index = 0; index < 20; index++) await first.signIn(ada)
    for (let index = 0; index < 20; index++) await second.signIn(ada)
    expect(await first.end({ subject: 'ada' })).toBe(40)
    const disposed = first.dispose()
    await pass(1_100)
    await disposed
    expect(await findAll(database.inner, 'revocation')).toHaveLength(40)
  })

  it('tokens are kept before it resolves, also in a database that takes its time', async () => {
    const { pool, database, clock, pass } = createWorld()
    const made = pool({ revoke: () => new Promise<never>(() => {}), timeouts: { hold: 1_000 } })
    const { key } = await made.signIn(ada)
    expect(await made.end({ key })).toBe(1)
    const { replace } = database.fleet
    vi.spyOn(database.fleet, 'replace').mockImplementation(async (...given) => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 2_000))
      return replace(...given)
    })
    let kept = 0
    const disposed = made.dispose().then(async () => {
      kept = (await findAll(database.inner, 'revocation')).length
    })
    await pass(5_000)
    await disposed
    expect(kept).toBe(1)
  })

  it('tasks and refreshes end before the sessions leave, and new tasks are refused', async () => {
    const { pool, server, database, pass } = createWorld()
    const made = pool()
    const { key } = await made.signIn(ada)
    const request = server.holdNext()
    const refreshed = made.use(key, (auth) => auth.refresh())
    await request.arrived
    const disposed = made.dispose()
    expect(await codeOf(token(made, key))).toBe('disposed')
    expect(await codeOf(made.signIn(ada))).toBe('disposed')
    await pass(100)
    request.answer()
    await pass(100)
    await disposed
    await refreshed
    expect([...database.stored.values()][0]?.rotation).toBe(1)
    expect(await token(pool(), key)).toMatch(/^at-/)
  })

  it('a task that waits for its session runs, and leaves no subscription behind', async () => {
    const { pool, database, pass } = createWorld()
    const { key } = await pool().signIn(ada)
    const stops = vi.fn()
    const { subscribe } = database.fleet
    const started = vi.spyOn(database.fleet, 'subscribe').mockImplementation((...given) => {
      const stop = subscribe(...given)
      return () => {
        stops()
        stop()
      }
    })
    const release = holdRead(database)
    const made = pool()
    const used = token(made, key)
    await quiet()
    const disposed = made.dispose()
    release()
    await pass(100)
    await disposed
    expect(await used).toMatch(/^at-/)
    expect(started).toHaveBeenCalledOnce()
    expect(stops).toHaveBeenCalledOnce()
  })

  it('after dispose no timer and no subscription remain', async () => {
    const { clock, pool, database, pass } = createWorld()
    const made = pool({ limits: sessionLimits({ idle: 3_600_000 }) })
    const { key } = await made.signIn(ada)
    await token(made, key)
    await made.dispose()
    await quiet()
    expect(clock.pending).toBe(0)
    const before = database.calls.length
    await pass(60_000)
    expect(database.calls.length).toBe(before)
  })
})

describe('options of createAuthPool', () => {
  it.each([
    ['fleet', { fleet: {} }],
    ['keys', { keys: undefined }],
    ['refresh', { refresh: undefined }],
    ['resident.most', { resident: { most: 0 } }],
    ['resident.idle', { resident: { idle: '1m' } }],
    ['timeouts.refresh', { timeouts: { refresh: -1 } }],
    ['limits', { limits: { idle: 1 } }],
  ])('a wrong %s is refused at once', (name, wrong) => {
    const { pool } = createWorld()
    expect(() => pool(wrong as never)).toThrow(new RegExp(`${name} must be`))
  })
})
