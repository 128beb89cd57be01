import { describe, expect, it, vi } from 'vitest'
import type { Auth } from '../../src/core/auth.ts'
import { StorageError } from '../../src/core/errors.ts'
import type { SessionRecord } from '../../src/core/ports.ts'
import { findAll } from '../../src/fleet/find-all.ts'
import type { Fleet, StoredSession } from '../../src/fleet/fleet.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { fleetSession } from '../../src/server/fleet-session.ts'
import { hashKey } from '../../src/server/hash-key.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import { open, seal } from '../../src/server/seal.ts'
import { placeOf } from '../../src/server/session-box.ts'
import { createWorld, KEYS } from './fleet-setup.ts'

const signIn = { username: 'ada' }

describe('fleetSession', () => {
  it('a process finds the session that another one began', async () => {
    const { open, pass } = createWorld()
    const first = open()
    await first.signIn(signIn)
    const second = open()
    await pass(0)
    await second.ready()
    expect(second.state).toBe('authenticated')
    expect(await second.getAccessToken()).toBe(await first.getAccessToken())
  })

  it('of two processes whose token expires, one refreshes and the other takes the new token', async () => {
    const { open, server, pass } = createWorld()
    const processes = [open(), open()] as const
    await processes[0].signIn(signIn)
    await pass(1)
    for (let expiry = 1; expiry <= 5; expiry++) {
      await pass(60_000)
      const [one, other] = await Promise.all(processes.map((auth) => auth.getAccessToken()))
      expect(one).toBe(other)
    }
    expect(server.reuseDetections).toBe(0)
    expect(server.refreshes).toBeGreaterThanOrEqual(5)
    expect(server.refreshes).toBeLessThanOrEqual(6)
  })

  it('a process looks for changes again after a call that the database has never answered', async () => {
    const { open, database, pass } = createWorld({ notifies: false })
    const [first, second] = [open(), open()]
    await first.signIn(signIn)
    await pass(1_000)
    database.silent = true
    await pass(1_000)
    database.silent = false
    await pass(11_000)
    await first.signOut()
    await pass(2_000)
    expect(second.state).toBe('loggedOut')
  })

  it('a sign-out in one process ends the session in the other', async () => {
    const { open, pass } = createWorld()
    const [first, second] = [open(), open()]
    await first.signIn(signIn)
    await pass(1)
    expect(second.state).toBe('authenticated')
    await first.signOut()
    await pass(1)
    expect(second.state).toBe('loggedOut')
  })

  it('after a sign-out the next sign-in is shared under the same key', async () => {
    const { open, pass } = createWorld()
    const [first, second] = [open(), open()]
    await first.signIn(signIn)
    await pass(1)
    await first.signOut()
    await pass(1_000)
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      await one.signIn(signIn)
      await pass(1_000)
      expect([one.state, other.state]).toEqual(['authenticated', 'authenticated'])
      await other.signOut()
      await pass(1_000)
      expect([one.state, other.state]).toEqual(['loggedOut', 'loggedOut'])
    }
  })

  it('after a sign-out before the session was restored the next sign-in is shared under the same key', async () => {
    const { open, pass } = createWorld()
    const first = open()
    await first.signIn(signIn)
    await pass(1)
    const second = open()
    void second.signOut()
    await pass(1_000)
    expect([first.state, second.state]).toEqual(['loggedOut', 'loggedOut'])
    void second.signIn(signIn)
    await pass(1_000)
    const third = open()
    await pass(1_000)
    expect([first.state, second.state, third.state]).toEqual(Array(3).fill('authenticated'))
  })

  it('a sign-out before the session was restored covers one that the database has lost', async () => {
    const { open, pass, clock } = createWorld()
    let inner = memoryFleet({ now: clock.now })
    const fleet = new Proxy(inner, { get: (_, name) => inner[name as keyof Fleet] })
    const shared = () => open('service', fleetSession({ fleet, key: 'service', keys: KEYS, clock }))
    const first = shared()
    await first.signIn(signIn)
    await pass(1)
    await pass(3_600_000)
    inner = memoryFleet({ now: clock.now })
    const second = shared()
    void second.signOut()
    await pass(10_000)
    expect([first.state, second.state]).toEqual(['loggedOut', 'loggedOut'])
    void second.signIn(signIn)
    await pass(1_000)
    const third = shared()
    await pass(1_000)
    expect([second.state, third.state]).toEqual(['authenticated', 'authenticated'])
  })

  it.each(['a sign-out', 'another sign-in'])(
    'after %s a process that cannot read presents no spent token',
    async (what) => {
      const { open, pass, clock, database, server } = createWorld({ notifies: false })
      const first = open()
      await first.signIn(signIn)
      await pass(1)
      let isBroken = false
      const read: Fleet['read'] = (key) =>
        isBroken ? Promise.reject(new Error('timeout')) : database.fleet.read(key)
      const fleet = { ...database.fleet, read }
      const other = open('service', fleetSession({ fleet, key: 'service', keys: KEYS, clock }))
      await pass(1)
      isBroken = true
      await first.refresh()
      await first.signOut()
      if (what === 'another sign-in') await first.signIn(signIn)
      other.refresh().catch(() => {})
      await pass(5_000)
      expect(other.state).toBe('refreshing')
      expect(server.tokenRequests).toBe(1)
      isBroken = false
      await pass(5_000)
      expect(other.state).toBe(first.state)
      expect(other.session?.expiresAt).toBe(first.session?.expiresAt)
      expect(server).toMatchObject({ tokenRequests: 1, reuseDetections: 0 })
    },
  )

  describe('if the clock of a process is four minutes behind', () => {
    function createSkewed() {
      const world = createWorld({ jwt: true })
      const { clock, database, open } = world
      const behind = { ...clock, now: () => clock.now() - 240_000 }
      const late = () =>
        open('service', {
          clock: behind,
          ...fleetSession({ fleet: database.fleet, key: 'service', keys: KEYS, clock: behind }),
        })
      return { ...world, late, subjectsOf: (auths: Auth[]) => auths.map(({ session }) => session?.subject) }
    }

    it('its sign-in replaces one of which it does not know yet', async () => {
      const { open, late, pass, subjectsOf } = createSkewed()
      const first = open()
      await first.signIn(signIn)
      await pass(1_000)
      const second = late()
      await second.signIn({ username: 'eve' })
      await pass(1_000)
      expect(subjectsOf([first, second])).toEqual(['eve', 'eve'])
      for (const auth of [second, first]) {
        await auth.refresh()
        await pass(1_000)
        expect(subjectsOf([first, second])).toEqual(['eve', 'eve'])
      }
    })

    it('its sign-in replaces an earlier one also if the database was down meanwhile', async () => {
      const { open, late, pass, database, subjectsOf } = createSkewed()
      const first = open()
      await first.signIn({ username: 'ada' })
      await pass(10_000)
      database.down = true
      const second = late()
      await second.ready()
      await second.signIn({ username: 'grace' })
      await pass(20_000)
      database.down = false
      await pass(10_000)
      expect(subjectsOf([first, second])).toEqual(['grace', 'grace'])
    })

    it('a later sign-in of another process stays although its own was not stored before', async () => {
      const { open, late, pass, database, subjectsOf } = createSkewed()
      const first = open()
      const second = late()
      await pass(1)
      database.down = true
      await second.signIn({ username: 'grace' })
      await pass(10_000)
      // The database can be reached by the first process only.
      database.down = false
      await first.signIn({ username: 'ada' })
      await pass(10_000)
      expect(subjectsOf([first, second])).toEqual(['ada', 'ada'])
    })

    it('its sign-in begins a session after a sign-out of which it does not know', async () => {
      const { open, late, pass, subjectsOf } = createSkewed()
      const first = open()
      await first.signIn(signIn)
      await pass(1_000)
      await first.signOut()
      await pass(1_000)
      const second = late()
      await second.signIn({ username: 'eve' })
      await pass(1_000)
      expect(subjectsOf([first, second])).toEqual(['eve', 'eve'])
      await first.signOut()
      await pass(1_000)
      expect(subjectsOf([first, second])).toEqual([undefined, undefined])
      await second.signIn(signIn)
      await pass(1_000)
      expect(subjectsOf([first, second])).toEqual(['ada', 'ada'])
    })

    it.each(['replace', 'readStart'] as const)(
      'its sign-in is stored although the first %s fails',
      async (method) => {
        const { open, late, database, pass, subjectsOf } = createSkewed()
        const first = open()
        await first.signIn(signIn)
        await pass(1_000)
        vi.spyOn(database.fleet, method).mockRejectedValueOnce(new Error('lost'))
        const second = late()
        second.on('storageFailed', () => {})
        await second.signIn({ username: 'eve' })
        await pass(10_000)
        expect(subjectsOf([first, second])).toEqual(['eve', 'eve'])
      },
    )

    it('an earlier session that another process writes back does not replace its sign-in', async () => {
      const { open, late, database, pass, subjectsOf } = createSkewed()
      const first = open()
      await first.signIn(signIn)
      await pass(1_000)
      const [key, stored] = [...database.stored][0] as [string, StoredSession]
      const second = late()
      await second.signIn({ username: 'eve' })
      await second.refresh()
      expect(await database.inner.replace(key, { ...stored, rotation: 1 }, stored)).toBe('newer')
      await pass(1_000)
      expect(subjectsOf([first, second])).toEqual(['eve', 'eve'])
    })
  })

  it('without notifications a process notices a sign-in and a sign-out within a second', async () => {
    const { open, pass } = createWorld({ notifies: false })
    const [first, second] = [open(), open()]
    await pass(1)
    await first.signIn(signIn)
    await pass(1_000)
    expect(second.state).toBe('authenticated')
    await first.signOut()
    await pass(1_000)
    expect(second.state).toBe('loggedOut')
  })

  it('a process that waits reads seldom: once in five seconds with notifications', async () => {
    const { open, database, pass } = createWorld({ accessTokenLifetime: 3_600_000 })
    const auth = open()
    await auth.signIn(signIn)
    await pass(1)
    const before = database.calls.length
    await pass(60_000)
    expect(database.calls.length - before).toBeLessThanOrEqual(14)
    expect(database.calls.length - before).toBeGreaterThanOrEqual(10)
    expect(new Set(database.calls.slice(before))).toEqual(new Set(['read']))
  })

  it('what this process wrote itself makes it read nothing', async () => {
    const { open, database, pass } = createWorld()
    const auth = open()
    await auth.signIn(signIn)
    await pass(1)
    const before = database.count('read')
    await auth.refresh()
    await pass(1)
    // Once in its turn.
    expect(database.count('read') - before).toBe(1)
  })

  it('the database contains no token, no user and no name of the session', async () => {
    const { open, database, server, pass } = createWorld({ jwt: true })
    const auth = open('billing')
    await auth.signIn({ username: 'ada.lovelace@example.com' })
    await auth.refresh()
    await pass(1)
    const dump = JSON.stringify([...database.stored])
    const boxes = [...database.stored.values()].map(({ box }) =>
      Buffer.from(box, 'base64url').toString('latin1'),
    )
    expect(boxes).toHaveLength(1)
    for (const secret of [await auth.getAccessToken(), 'ada.lovelace', 'billing', 'refreshToken'])
      expect(
        [dump, ...boxes].filter((text) => text.includes(secret)),
        secret,
      ).toEqual([])
    expect([...database.stored.keys()]).toEqual([await hashKey('billing')])
    expect(server.refreshes).toBe(1)
  })

  it.each([
    ['to another session', (key: string, other: string) => [key, other]],
    ['to another rotation', (key: string) => [key, key]],
  ])('a box that was moved %s is refused, and stays as it is', async (_, move) => {
    const { open, database, pass } = createWorld()
    await open('one').signIn(signIn)
    await open('two').signIn({ username: 'eve' })
    await pass(1)
    const [from, to] = move(await hashKey('one'), await hashKey('two')) as [string, string]
    const moved = database.stored.get(from)
    const target = database.stored.get(to)
    if (!moved || !target) throw new Error('Nothing is stored')
    const { box } = moved
    await database.inner.replace(to, { ...target, box, rotation: target.rotation + 1 }, undefined)
    const failures: unknown[] = []
    const victim = open('two')
    const original = open('one')
    for (const auth of [victim, original]) auth.on('storageFailed', (event) => failures.push(event))
    await pass(1)
    expect(failures).toContainEqual(expect.objectContaining({ reason: 'box_refused' }))
    expect((from === to ? original : victim).session).toBeUndefined()
    expect((await database.inner.read(to))?.box).toBe(box)
  })

  it('a session that a newer version of the library has stored is not read, not refreshed, and not destroyed', async () => {
    const { open: start, database, server, pass } = createWorld()
    const resident = start('one')
    const failures: unknown[] = []
    resident.on('storageFailed', ({ reason }) => failures.push(reason))
    await resident.signIn(signIn)
    await pass(1)
    const key = await hashKey('one')
    const stored = database.stored.get(key)
    if (!stored) throw new Error('Nothing is stored')
    const record = JSON.parse(await open(KEYS, placeOf(key, stored), stored.box))
    const next = { ...stored, rotation: stored.rotation + 1 }
    const box = await seal(KEYS, placeOf(key, next), JSON.stringify({ ...record, ...next, version: 2 }))
    await database.inner.replace(key, { ...next, box }, stored)
    const starting = start('one')
    await pass(120_000)
    expect(starting.session).toBeUndefined()
    expect(failures).toContain('newer_version')
    expect(server.refreshes).toBe(0)
    expect((await database.inner.read(key))?.box).toBe(box)
  })

  it('a session that was sealed with a key that is missing is not read, and not destroyed', async () => {
    const { open, database, pass } = createWorld()
    await open().signIn(signIn)
    await pass(1)
    const stranger = open('service', {}, keyRing({ k2: new Uint8Array(32).fill(2) }))
    const failures: unknown[] = []
    stranger.on('storageFailed', ({ reason }) => failures.push(reason))
    await pass(10_000)
    expect(stranger.session).toBeUndefined()
    expect(failures).toContain('unknown_key')
    const again = open()
    await pass(1)
    expect(again.state).toBe('authenticated')
    expect(database.stored.size).toBe(1)
  })

  it('a key is changed without a sign-out: old processes and new ones share the session meanwhile', async () => {
    const { open, server, pass } = createWorld()
    const [k1, k2] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const before = open('service', {}, keyRing({ k1 }))
    await before.signIn(signIn)
    await pass(1)
    // First all processes learn the new key, and then they seal with it.
    const learned = open('service', {}, keyRing({ k1, k2 }))
    const changed = open('service', {}, keyRing({ k2, k1 }))
    await pass(1)
    before.dispose()
    await changed.refresh()
    await pass(1)
    expect(await learned.getAccessToken()).toBe(await changed.getAccessToken())
    const after = open('service', {}, keyRing({ k2 }))
    await pass(1)
    expect(await after.getAccessToken()).toBe(await changed.getAccessToken())
    expect(server.reuseDetections).toBe(0)
  })

  it('while the database is down the session sends with its token, and refreshes when it is back', async () => {
    const { open, database, server, pass } = createWorld()
    const auth = open()
    await auth.signIn(signIn)
    await pass(1)
    database.down = true
    await pass(30_000)
    expect(await auth.getAccessToken()).toMatch(/^at-/)
    await pass(60_000)
    expect(server.refreshes).toBe(0)
    database.down = false
    await pass(40_000)
    expect(auth.state).toBe('authenticated')
    expect(server.refreshes).toBe(1)
  })

  it('tokens that could not be written are written as soon as the database is back', async () => {
    const { open, database, server, pass } = createWorld()
    const auth = open()
    await auth.signIn(signIn)
    await pass(1)
    const [key] = [...database.stored.keys()]
    void server
      .whenRequest(({ path }) => path === '/token')
      .then(() => {
        database.down = true
      })
    const refreshed = auth.refresh()
    await pass(20_000)
    await refreshed
    expect((await database.inner.read(key as string))?.rotation).toBe(0)
    database.down = false
    await pass(8_000)
    expect((await database.inner.read(key as string))?.rotation).toBe(1)
    expect(server.reuseDetections).toBe(0)
  })

  it('an error of the database does not reach the app with its text', async () => {
    const { database } = createWorld()
    database.down = true
    const { storage } = fleetSession({ fleet: database.fleet, key: 'service', keys: KEYS })
    const error = await Promise.resolve(storage.read()).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(StorageError)
    expect(error).toMatchObject({ reason: 'Error' })
    expect((error as StorageError).cause).toBeUndefined()
    expect(String(error)).not.toContain('SECRET')
  })

  it('the tags of a session are those of its user and of its sid, and stay the same', async () => {
    const { database, clock } = createWorld()
    const { storage } = fleetSession({ fleet: database.fleet, key: 'service', keys: KEYS, clock })
    const payload = Buffer.from(JSON.stringify({ sub: 'ada', sid: 's1' })).toString('base64url')
    const record: SessionRecord = {
      version: 1,
      id: 'a',
      rotation: 0,
      startedAt: 1,
      receivedAt: 1,
      accessToken: 'at',
      idToken: `e30.${payload}.x`,
      subject: 'ada',
    }
    expect(await storage.replace?.(record, undefined)).toBe('written')
    const [key] = [...database.stored.keys()] as [string]
    const tags = database.stored.get(key)?.tags
    expect(tags).toHaveLength(3)
    for (const tag of tags ?? []) expect(await findAll(database.fleet, tag)).toEqual([key])
    const { idToken: _, ...without } = record
    await storage.replace?.({ ...without, rotation: 1 }, { id: 'a', rotation: 0 })
    expect(database.stored.get(key)).toMatchObject({ rotation: 1, tags })
  })

  it.each([
    ['30 days after it was written', {}, 30 * 86_400_000],
    ['the time that the app chose after it was written', { ttl: 1_000 }, 1_000],
  ])('a session is stored until %s', async (_, more, ttl) => {
    const { database, clock } = createWorld()
    const { storage } = fleetSession({ fleet: database.fleet, key: 's', keys: KEYS, clock, ...more })
    const record = {
      version: 1,
      id: 'a',
      rotation: 0,
      startedAt: 1,
      receivedAt: 1,
      accessToken: 'at',
    } as const
    await storage.replace?.(record, undefined)
    const [stored] = [...database.stored.values()]
    expect(stored?.until).toBeGreaterThanOrEqual(clock.now() + ttl)
    expect(stored?.until).toBeLessThanOrEqual(clock.now() + ttl + 3_600_000)
    const end = clock.now() + 7 * 86_400_000
    await storage.replace?.({ ...record, rotation: 1, refreshTokenExpiresAt: end }, { id: 'a', rotation: 0 })
    expect([...database.stored.values()][0]?.until).toBe(end + 3_600_000)
  })

  it('tokens that could not be written at first are those of all processes, without another refresh', async () => {
    const { database, open, pass, server } = createWorld()
    const [first, second] = [open(), open()]
    await first.signIn(signIn)
    await pass(1_000)
    let isReadOnly = true
    const replace: typeof database.fleet.replace = async (...args) => {
      if (!isReadOnly) return database.inner.replace(...args)
      isReadOnly = false
      throw new Error('read only')
    }
    Object.assign(database.fleet, { replace })
    await first.refresh()
    await pass(5_000)
    expect(await second.getAccessToken()).toBe(await first.getAccessToken())
    expect(second.state).toBe('authenticated')
    expect(server.refreshes).toBe(1)
  })

  it('after dispose no timer and no subscription remain', async () => {
    const { clock, open, database, pass } = createWorld()
    const auth = open()
    await auth.signIn(signIn)
    await pass(10_000)
    database.down = true
    await pass(10_000)
    auth.dispose()
    await pass(5_000)
    expect(clock.pending).toBe(0)
    const before = database.calls.length
    await pass(60_000)
    expect(database.calls.length).toBe(before)
  })

  it.each([
    ['fleet', { fleet: undefined }],
    ['keys', { keys: { k: 'secret' } }],
    ['key', { key: '' }],
    ['ttl', { ttl: 0 }],
  ])('a wrong %s is refused', (name, wrong) => {
    const { database } = createWorld()
    const options = { fleet: database.fleet, key: 'service', keys: KEYS, ...wrong } as never
    expect(() => fleetSession(options)).toThrow(new RegExp(`${name} must be`))
  })
})
