import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findAll } from '../../src/fleet/find-all.ts'
import type { Acquired, Fleet, FoundSession, Holder, StoredSession } from '../../src/fleet/fleet.ts'

/** The lease of turns that end during a test, in milliseconds, and of those that outlast it, however busy the machine is. */
export const LEASE = 400
const LONG_LEASE = 120_000

/** A database, and the processes that use it. */
export interface FleetBench {
  /** The fleet of one more process. */
  open(lease: number): Promise<Fleet>
  close(): Promise<void>
  /** Whether the database may lose what it holds. */
  readonly isRemote: boolean
}

const DAY = 86_400_000

export const storedSession = (change: Partial<StoredSession> = {}): StoredSession => ({
  id: 'a',
  rotation: 5,
  startedAt: 1_000,
  until: Date.now() + DAY,
  tags: [],
  box: 'box',
  ...change,
})

/** Resolves when `look` returns something, after some looks. */
export async function eventually<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  for (let looks = 0; looks < 500; looks++) {
    const found = await look()
    if (found) return found
    await pause(10)
  }
  throw new Error('It did not happen within five seconds.')
}

export function granted(acquired: Acquired): Extract<Acquired, { result: 'granted' }> {
  if (acquired.result !== 'granted') throw new Error('The turn was not granted.')
  return acquired
}

/** Whether what the database has for the key may be older than what was written last. */
export const suspects = async (fleet: Fleet, key: string): Promise<boolean> =>
  granted(await fleet.acquire(key, randomUUID(), undefined)).isSuspect

export async function acquireAs(fleet: Fleet, key: string, owner: string, awaited?: number): Promise<Holder> {
  return { owner, fence: granted(await fleet.acquire(key, owner, awaited)).fence }
}

function expectFound(found: FoundSession | undefined, expected: StoredSession | undefined): void {
  expect(found).toEqual(expected && { ...expected, age: expect.any(Number) })
}

/** The mark of a token that another owner presented. */
async function markOf(fleet: Fleet, key: string): Promise<number | undefined> {
  const acquired = await fleet.acquire(key, 'a process that only looks', undefined)
  if (acquired.result === 'held') return acquired.markedAt
  throw new Error('Nothing is marked.')
}

/** Checks every sentence of the contract of `Fleet`. */
export function describeFleet(name: string, start: () => Promise<FleetBench>): void {
  describe(`a fleet in ${name}`, () => {
    let bench: FleetBench
    let one: Fleet
    let other: Fleet
    /** One whose turns end soon. */
    let hasty: Fleet

    beforeAll(async () => {
      bench = await start()
      one = await bench.open(LONG_LEASE)
      other = await bench.open(LONG_LEASE)
      hasty = await bench.open(LEASE)
    }, 60_000)
    afterAll(() => bench?.close())

    const newKey = () => `key ${randomUUID()} }{:'"ü`

    describe('reading and writing', () => {
      it('a session is read by another process exactly as it was written', async () => {
        const key = newKey()
        const written = storedSession({
          id: 'ü "id"',
          startedAt: 1_764_442_202_123.5,
          until: Date.now() + DAY + 0.25,
          tags: ['subject:ada "x" \\ \u2028', '{a,b}', ''],
          box: `${'é~\n'.repeat(4_000)}'"`,
        })
        expect(await one.read(key)).toBeUndefined()
        expect(await one.replace(key, written, undefined)).toBe('written')
        expectFound(await other.read(key), written)
      })

      it('a session without an end is read as it was written', async () => {
        const key = newKey()
        const written = storedSession({ until: Number.POSITIVE_INFINITY, tags: [key] })
        await one.replace(key, written, undefined)
        expectFound(await other.read(key), written)
        expect(await findAll(other, key)).toEqual([key])
      })

      it.each([
        ['newer tokens of the session', { rotation: 6 }, { id: 'a', rotation: 5 }, 'written'],
        ['much newer tokens of the session', { rotation: 9 }, { id: 'a', rotation: 8 }, 'written'],
        ['newer tokens, whatever was expected', { rotation: 6 }, undefined, 'written'],
        ['older tokens of the session', { rotation: 4 }, { id: 'a', rotation: 3 }, 'newer'],
        ['older tokens that name the stored ones', { rotation: 4 }, { id: 'a', rotation: 5 }, 'newer'],
        ['the same tokens, if they are expected', { rotation: 5 }, { id: 'a', rotation: 5 }, 'written'],
        ['the same tokens, if older ones are expected', { rotation: 5 }, { id: 'a', rotation: 4 }, 'newer'],
        [
          'the same tokens, if another session is expected',
          { rotation: 5 },
          { id: 'b', rotation: 5 },
          'newer',
        ],
        ['the same tokens, if nothing is expected', { rotation: 5 }, undefined, 'newer'],
        ['a later session', { id: 'b', rotation: 0, startedAt: 1_001 }, undefined, 'written'],
        ['an earlier session', { id: 'b', rotation: 9, startedAt: 999 }, { id: 'a', rotation: 5 }, 'newer'],
        ['another session that started at once', { id: 'b', rotation: 9 }, { id: 'a', rotation: 5 }, 'newer'],
      ] as const)('replace compares %s', async (_, change, expected, result) => {
        const key = newKey()
        const before = storedSession()
        const next = storedSession({ ...change, box: 'next' })
        await one.replace(key, before, undefined)
        expect(await other.replace(key, next, expected)).toBe(result)
        expectFound(await one.read(key), result === 'written' ? next : before)
      })

      it('a session is as old as its last write, by the clock of the database', async () => {
        const key = newKey()
        const start = performance.now()
        await one.replace(key, storedSession(), undefined)
        await pause(100)
        const { age = -1 } = (await other.read(key)) ?? {}
        expect(age).toBeGreaterThanOrEqual(99)
        expect(age).toBeLessThanOrEqual(performance.now() - start + 2)
        await other.replace(key, storedSession({ rotation: 6 }), undefined)
        expect((await one.read(key))?.age).toBeLessThan(age + 50)
      })

      it('a lost session is written again', async () => {
        const key = newKey()
        const held = storedSession({ rotation: 7 })
        expect(await one.replace(key, held, { id: 'a', rotation: 6 })).toBe('written')
        expectFound(await other.read(key), held)
      })

      it('a session is not read any more when its time has passed', async () => {
        const key = newKey()
        await one.replace(key, storedSession({ tags: [key] }), undefined)
        expect(await findAll(other, key)).toEqual([key])
        const short = storedSession({ rotation: 6, until: Date.now() + 50, tags: [key] })
        await one.replace(key, short, undefined)
        await eventually(async () => !(await other.read(key)))
        expect(await findAll(other, key)).toEqual([])
        const next = storedSession({ rotation: 1, startedAt: 1 })
        expect(await one.replace(key, next, undefined)).toBe('written')
        expectFound(await other.read(key), next)
      })
    })

    describe('removing', () => {
      const end = { id: 'a', rotation: 5, startedAt: 1_000 }
      const SIGNED_OUT = { id: 'a', rotation: Number.POSITIVE_INFINITY, startedAt: Number.POSITIVE_INFINITY }

      it('returns what was removed, once', async () => {
        const key = newKey()
        const written = storedSession()
        await one.replace(key, written, undefined)
        await one.writeLastUse(key, 5)
        expect(await other.remove(key)).toEqual(written)
        expect(await one.read(key)).toBeUndefined()
        expect(await one.readLastUse(key)).toBeUndefined()
        expect(await one.remove(key)).toBeUndefined()
      })

      it.each([
        ['of those tokens', { rotation: 5 }, true],
        ['of later tokens', { rotation: 4 }, true],
        ['of earlier tokens', { rotation: 6 }, false],
        ['of a later session', { id: 'b', startedAt: 999 }, true],
        ['of a session that started at once', { id: 'b', startedAt: 1_000 }, false],
        ['of an earlier session', { id: 'b', startedAt: 1_001 }, false],
      ] as const)('an end %s removes the stored session or keeps it', async (_, change, isRemoved) => {
        const key = newKey()
        const written = storedSession(change)
        await one.replace(key, written, undefined)
        expect(await other.remove(key, end)).toEqual(isRemoved ? written : undefined)
        expectFound(await one.read(key), isRemoved ? undefined : written)
      })

      it.each([
        ['the same tokens', end, {}, 'gone'],
        ['earlier tokens', end, { rotation: 4 }, 'gone'],
        ['newer tokens', end, { rotation: 6 }, 'written'],
        ['an earlier session', end, { id: 'b', startedAt: 999 }, 'gone'],
        ['a later session', end, { id: 'b', startedAt: 1_001 }, 'written'],
        ['newer tokens after a sign-out', SIGNED_OUT, { rotation: 99 }, 'gone'],
        ['an earlier session after a sign-out', SIGNED_OUT, { id: 'b', startedAt: 999 }, 'gone'],
        ['newer tokens after an end of everything', undefined, { rotation: 99 }, 'gone'],
      ] as const)('an end is remembered: %s', async (_, ended, change, result) => {
        const key = newKey()
        await one.replace(key, storedSession({ until: Date.now() + 1_000 }), undefined)
        await one.remove(key, ended)
        const next = storedSession(change)
        expect(await other.replace(key, next, { id: next.id, rotation: next.rotation - 1 })).toBe(result)
        expectFound(await one.read(key), result === 'written' ? next : undefined)
      })

      it('an end is remembered although nothing was stored', async () => {
        const key = newKey()
        expect(await one.remove(key, end)).toBeUndefined()
        expect(await other.replace(key, storedSession(), undefined)).toBe('gone')
        expect(await other.acquire(key, 'x', undefined)).toMatchObject({ isSuspect: false })
        expect(await other.replace(key, storedSession({ rotation: 6 }), undefined)).toBe('written')
      })

      it.each([
        ['that was never stored', false],
        ['that is stored under another id', true],
      ])('an end that covers everything holds for a session %s', async (_, isStored) => {
        const key = newKey()
        const everything = { id: '', rotation: Infinity, startedAt: Infinity }
        if (isStored) await one.replace(key, storedSession(), undefined)
        await one.remove(key, everything)
        for (const next of [
          storedSession({ rotation: 99 }),
          storedSession({ id: 'b', startedAt: Date.now() }),
        ])
          expect(await other.replace(key, next, undefined)).toBe('gone')
        expect(await other.read(key)).toBeUndefined()
      })

      it('a sign-out is not narrowed by an end of the same session that comes later', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        await one.remove(key, SIGNED_OUT)
        await other.remove(key, end)
        await other.remove(key)
        expect(await other.replace(key, storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe(
          'gone',
        )
      })

      it('an end is widened by a sign-out that comes later', async () => {
        const key = newKey()
        await one.remove(key, end)
        await one.remove(key, SIGNED_OUT)
        expect(await other.replace(key, storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })).toBe(
          'gone',
        )
      })

      it('the end of an earlier session does not replace that of a later one', async () => {
        const key = newKey()
        await one.remove(key, end)
        await one.remove(key, { id: 'b', rotation: 9, startedAt: 10 })
        expect(await other.replace(key, storedSession(), undefined)).toBe('gone')
        expect(await other.replace(key, storedSession({ id: 'b', startedAt: 10 }), undefined)).toBe('gone')
      })
    })

    it('the start is that of the stored session, or else of the end that is remembered', async () => {
      const key = newKey()
      expect(await one.readStart(key)).toBeUndefined()
      await one.replace(key, storedSession({ startedAt: 1_764_442_202_123.5 }), undefined)
      expect(await other.readStart(key)).toBe(1_764_442_202_123.5)
      await one.remove(key, { id: 'a', rotation: 5, startedAt: 1_764_442_202_124 })
      expect(await other.readStart(key)).toBe(1_764_442_202_124)
      await one.replace(key, storedSession({ id: 'b', startedAt: 1_764_442_202_125 }), undefined)
      expect(await other.readStart(key)).toBe(1_764_442_202_125)
      await one.remove(key)
      expect(await other.readStart(key)).toBe(Number.POSITIVE_INFINITY)
    })

    describe('tags', () => {
      it('find the keys of all sessions that have the tag now', async () => {
        const [first, second, third] = [newKey(), newKey(), newKey()]
        const [tag, rare] = [newKey(), newKey()]
        expect(await findAll(one, tag)).toEqual([])
        await one.replace(first, storedSession({ tags: [tag, rare] }), undefined)
        await one.replace(second, storedSession({ tags: [tag] }), undefined)
        await one.replace(third, storedSession({ tags: [] }), undefined)
        expect([...(await findAll(other, tag))].sort()).toEqual([first, second].sort())
        expect(await findAll(other, rare)).toEqual([first])
        await other.remove(first)
        expect(await findAll(one, tag)).toEqual([second])
        expect(await findAll(one, rare)).toEqual([])
        await other.replace(second, storedSession({ id: 'b', startedAt: 2_000, tags: [rare] }), undefined)
        expect(await findAll(one, tag)).toEqual([])
        expect(await findAll(one, rare)).toEqual([second])
      })
    })

    describe('the last use', () => {
      it('is stored beside the session, and outlives a refresh', async () => {
        const key = newKey()
        expect(await one.readLastUse(key)).toBeUndefined()
        await one.replace(key, storedSession(), undefined)
        await one.writeLastUse(key, DAY)
        await other.replace(key, storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
        const ago = Number(await other.readLastUse(key))
        expect(ago).toBeGreaterThanOrEqual(DAY)
        expect(ago).toBeLessThan(DAY + 3_600_000)
        await other.writeLastUse(key, 5)
        expect(await one.readLastUse(key)).toBeLessThan(3_600_000)
      })
    })

    describe('turns', () => {
      it('are held by one owner at a time, and each has a higher number', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        const first = await acquireAs(one, key, 'one')
        expect(await other.acquire(key, 'other', undefined)).toEqual({ result: 'held', markedAt: undefined })
        expect(await other.acquire(key, 'other', 5)).toEqual({ result: 'held', markedAt: undefined })
        const again = await acquireAs(one, key, 'one')
        expect(again.fence).toBeGreaterThan(first.fence)
        await one.release(key, first, false)
        expect(await other.acquire(key, 'other', undefined)).toMatchObject({ result: 'held' })
        await one.release(key, again, false)
        const next = await acquireAs(other, key, 'other')
        expect(next.fence).toBeGreaterThan(again.fence)
      })

      it('pass to another owner when the lease has ended, and then the holder before can do nothing', async () => {
        const key = newKey()
        const start = performance.now()
        const first = await acquireAs(hasty, key, 'one')
        const next = await eventually(async () => {
          const acquired = await other.acquire(key, 'other', undefined)
          return acquired.result === 'granted' && { owner: 'other', fence: acquired.fence }
        })
        // Redis and PostgreSQL count in whole milliseconds.
        expect(performance.now() - start).toBeGreaterThanOrEqual(LEASE - 2)
        expect(await one.present(key, first, { id: 'a', rotation: 5 })).toBe(false)
        await one.release(key, first, true)
        expect(await one.acquire(key, 'one', undefined)).toMatchObject({ result: 'held' })
        expect(await other.present(key, next, { id: 'a', rotation: 5 })).toBe(true)
      })

      it('are presented by their holder although the lease has ended, if no other owner has acquired them', async () => {
        const key = newKey()
        const holder = await acquireAs(hasty, key, 'one')
        await pause(LEASE + 50)
        expect(await one.present(key, holder, { id: 'a', rotation: 5 })).toBe(true)
        expect(await other.acquire(key, 'other', await markOf(other, key))).toMatchObject({ result: 'held' })
      })

      it.each([
        ['not presented after an end of everything', Number.POSITIVE_INFINITY, false],
        ['not presented after the end of a session', 999, false, 'a'],
        ['not presented after the end of another session', 999, false, 'b'],
        ['presented after the end of an earlier session that the database had lost', 999, true],
      ])('are %s', async (_, startedAt, isPresented, id = '') => {
        const key = newKey()
        const holder = await acquireAs(one, key, 'one')
        await other.remove(key, { id, rotation: Number.POSITIVE_INFINITY, startedAt })
        expect(await one.present(key, holder, { id: 'a', rotation: 5 })).toBe(isPresented)
      })

      it('are not presented by a call that arrives after their end', async () => {
        const key = newKey()
        const holder = await acquireAs(one, key, 'one')
        await one.release(key, holder, true)
        expect(await one.present(key, holder, { id: 'a', rotation: 5 })).toBe(false)
        expect(await other.acquire(key, 'other', undefined)).toMatchObject({ interrupted: undefined })
      })

      it('are not presented with a number or an owner of another holder', async () => {
        const key = newKey()
        const { fence } = await acquireAs(one, key, 'one')
        expect(await one.present(key, { fence, owner: 'other' }, { id: 'a', rotation: 5 })).toBe(false)
        expect(await one.present(key, { fence: fence + 1, owner: 'one' }, { id: 'a', rotation: 5 })).toBe(
          false,
        )
        expect(await one.present(key, { fence: fence - 1, owner: 'one' }, { id: 'a', rotation: 5 })).toBe(
          false,
        )
        expect(await one.present(newKey(), { fence, owner: 'one' }, { id: 'a', rotation: 5 })).toBe(false)
      })

      it('are presented only with the newest tokens', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        const holder = await acquireAs(one, key, 'one')
        expect(await one.present(key, holder, { id: 'a', rotation: 4 })).toBe(false)
        expect(await one.present(key, holder, { id: 'a', rotation: 5 })).toBe(true)
        expect(await one.present(key, holder, { id: 'a', rotation: 6 })).toBe(true)
      })

      it('are not presented with tokens of another session', async () => {
        const key = newKey()
        await one.replace(key, storedSession({ id: 'b', rotation: 0 }), undefined)
        const holder = await acquireAs(one, key, 'one')
        expect(await one.present(key, holder, { id: 'a', rotation: 5 })).toBe(false)
        expect(await one.present(key, holder, { id: 'b', rotation: 0 })).toBe(true)
      })

      it('last as long as their owner asks for', async () => {
        const key = newKey()
        const holder = {
          owner: 'one',
          fence: granted(await hasty.acquire(key, 'one', undefined, 60_000)).fence,
        }
        await pause(LEASE + 50)
        expect(await other.acquire(key, 'other', undefined)).toMatchObject({ result: 'held' })
        await hasty.present(key, holder, { id: 'a', rotation: 5 }, 1)
        await pause(20)
        const mark = await markOf(other, key)
        expect(await other.acquire(key, 'other', mark)).toMatchObject({ result: 'granted' })
      })

      it('are extended by the time of the lease when a token is presented', async () => {
        // A busy machine may take longer than the lease: then the answer says nothing, and the next key is tried.
        for (let late = true; late; ) {
          const key = newKey()
          const holder = await acquireAs(hasty, key, 'one')
          await pause(LEASE - 100)
          const presentedAt = performance.now()
          await hasty.present(key, holder, { id: 'a', rotation: 5 })
          await pause(200)
          const { result } = await other.acquire(key, 'other', await markOf(other, key))
          late = performance.now() - presentedAt >= LEASE
          if (!late) expect(result).toBe('held')
        }
      })
    })

    describe('marks of presented tokens', () => {
      /** Presents the tokens of rotation 5, and releases the turn. */
      async function presented(key: string, isSettled: boolean): Promise<void> {
        const holder = await acquireAs(one, key, 'one')
        await one.present(key, holder, { id: 'a', rotation: 5 })
        await one.release(key, holder, isSettled)
      }

      it('keep the turn from others until they have awaited that one, and are the same at each look', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        await presented(key, false)
        const held = await other.acquire(key, 'other', undefined)
        expect(held).toEqual({ result: 'held', markedAt: expect.any(Number) })
        expect(await other.acquire(key, 'other', undefined)).toEqual(held)
        const mark = await markOf(other, key)
        expect(await other.acquire(key, 'other', (mark ?? 0) - 1)).toEqual(held)
        const acquired = granted(await other.acquire(key, 'other', mark))
        expect(acquired.interrupted).toBe(5)
        // It stays until the next token is presented.
        await other.release(key, { fence: acquired.fence, owner: 'other' }, false)
        expect(granted(await other.acquire(key, 'other', mark)).interrupted).toBe(5)
      })

      it('are replaced by that of the next holder', async () => {
        const key = newKey()
        await presented(key, false)
        const before = await markOf(other, key)
        const next = await acquireAs(other, key, 'other', before)
        await other.present(key, next, { id: 'a', rotation: 5 })
        await other.release(key, next, false)
        expect(granted(await hasty.acquire(key, 'other', undefined)).interrupted).toBeUndefined()
        await pause(LEASE + 20)
        const after = await one.acquire(key, 'one', before)
        expect(after).toMatchObject({ result: 'held', markedAt: expect.any(Number) })
        expect(await markOf(one, key)).not.toBe(before)
      })

      it('do not hold up the owner that presented the token', async () => {
        const key = newKey()
        await presented(key, false)
        expect(granted(await one.acquire(key, 'one', undefined)).interrupted).toBeUndefined()
      })

      it('are kept when another holder ends its turn without having presented a token', async () => {
        const key = newKey()
        await presented(key, false)
        const mark = await markOf(other, key)
        await other.release(key, await acquireAs(other, key, 'other', mark), true)
        expect(granted(await other.acquire(key, 'other', mark)).interrupted).toBe(5)
      })

      it('are removed when the answer is settled', async () => {
        const key = newKey()
        await presented(key, true)
        expect(granted(await other.acquire(key, 'other', undefined)).interrupted).toBeUndefined()
      })

      it.each([
        ['the answer is stored', { rotation: 6 }, { id: 'a', rotation: 5 }, true],
        ['the same tokens are stored again', { rotation: 5 }, { id: 'a', rotation: 5 }, false],
        ['another session is stored', { id: 'b', startedAt: 2_000, rotation: 0 }, undefined, true],
      ] as const)('are removed or kept when %s', async (_, change, expected, isRemoved) => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        await presented(key, false)
        expect(await other.replace(key, storedSession(change), expected)).toBe('written')
        const acquired = await other.acquire(key, 'other', undefined)
        expect(acquired.result).toBe(isRemoved ? 'granted' : 'held')
        if (acquired.result === 'granted') expect(acquired.interrupted).toBeUndefined()
      })

      it('are kept when a lost session is written again with the tokens that were presented', async () => {
        const key = newKey()
        await presented(key, false)
        expect(await other.replace(key, storedSession(), { id: 'a', rotation: 4 })).toBe('written')
        expect(await other.acquire(key, 'other', undefined)).toMatchObject({ result: 'held' })
      })

      it('are removed with the session', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        await presented(key, false)
        await other.remove(key)
        expect(granted(await other.acquire(key, 'other', undefined)).interrupted).toBeUndefined()
      })
    })

    describe('suspicion', () => {
      it('does not concern a session that was written here', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        expect(granted(await other.acquire(key, 'other', undefined)).isSuspect).toBe(false)
        await one.replace(key, storedSession({ rotation: 6 }), { id: 'a', rotation: 5 })
        expect(granted(await other.acquire(key, 'other', undefined)).isSuspect).toBe(false)
      })

      it('does not concern a session that has ended', async () => {
        const key = newKey()
        await one.replace(key, storedSession(), undefined)
        await one.remove(key)
        expect(granted(await other.acquire(key, 'other', undefined)).isSuspect).toBe(false)
      })

      it('concerns a session that is missing, if the database can lose it', async () => {
        expect(granted(await one.acquire(newKey(), 'one', undefined)).isSuspect).toBe(bench.isRemote)
      })

      it('stays when a lost session is written again, until its token is presented and answered', async () => {
        const key = newKey()
        await one.replace(key, storedSession({ rotation: 3 }), { id: 'a', rotation: 2 })
        await one.replace(key, storedSession({ rotation: 4 }), { id: 'a', rotation: 3 })
        const { fence, isSuspect } = granted(await one.acquire(key, 'one', undefined))
        expect(isSuspect).toBe(bench.isRemote)
        await one.present(key, { fence, owner: 'one' }, { id: 'a', rotation: 4 })
        await one.replace(key, storedSession({ rotation: 5 }), { id: 'a', rotation: 4 })
        await one.release(key, { fence, owner: 'one' }, true)
        expect(granted(await other.acquire(key, 'other', undefined)).isSuspect).toBe(false)
      })
    })

    describe('messages', () => {
      it('reach all processes that notifications are promised to, and only about their key', async () => {
        const key = newKey()
        const heard: string[] = []
        const stops = [one, other].map((fleet, index) =>
          fleet.subscribe(key, (text) => heard.push(`${index} ${text}`)),
        )
        const stopOther = one.subscribe(newKey(), (text) => heard.push(`another key ${text}`))
        const listeners = [one, other].flatMap((fleet, index) => (fleet.notifies ? [index] : []))
        /** Sends until the subscription works. */
        async function expectMessage(send: () => Promise<unknown>, text: string) {
          const expected = listeners.map((index) => `${index} ${text}`)
          await send()
          await eventually(() => expected.every((message) => heard.includes(message)))
          expect(heard.filter((message) => !expected.includes(message))).toEqual([])
          heard.length = 0
        }
        await eventually(async () => {
          await one.publish(key, 'begin')
          await pause(20)
          return listeners.every((index) => heard.includes(`${index} begin`))
        })
        await pause(50)
        heard.length = 0
        await expectMessage(() => one.publish(key, '{"type":"ended"}'), '{"type":"ended"}')
        await expectMessage(() => other.replace(key, storedSession(), undefined), 'a 5')
        const holder = await acquireAs(one, key, 'one')
        await expectMessage(() => one.release(key, holder, true), 'free')
        await expectMessage(() => one.remove(key), '')
        // Also if the database has lost the session.
        await expectMessage(() => one.remove(key, { id: '', rotation: Infinity, startedAt: Infinity }), '')
        expect(await one.replace(key, storedSession(), undefined)).toBe('gone')
        await one.release(key, holder, true).then(() => one.publish(key, 'last'))
        await eventually(() => listeners.every((index) => heard.includes(`${index} last`)))
        heard.length = 0
        for (const stop of [...stops, stopOther]) stop()
        await one.publish(key, 'after')
        await pause(50)
        expect(heard).toEqual([])
      })

      it('reach a process that listens again, however short the pause was', async () => {
        if (!one.notifies) return
        for (const wait of [undefined, 0, 20]) {
          one.subscribe(newKey(), () => {})()
          if (wait !== undefined) await pause(wait)
          const key = newKey()
          let heard = 0
          const stop = one.subscribe(key, () => heard++)
          // A subscription that just ended does not end this one later.
          await pause(100)
          await eventually(async () => {
            await other.publish(key, 'x')
            return heard > 0
          })
          stop()
        }
      })

      it('may be long, and then they may be lost', async () => {
        await one.publish(newKey(), 'x'.repeat(20_000))
      })
    })

    describe('races', () => {
      const RACERS = 12

      it('of many processes for one rotation have one winner', async () => {
        const fleets = [one, other]
        for (let round = 0; round < 5; round++) {
          const key = newKey()
          if (round % 2) await one.replace(key, storedSession(), undefined)
          const results = await Promise.all(
            Array.from({ length: RACERS }, (_, racer) =>
              (fleets[racer % 2] as Fleet).replace(key, storedSession({ rotation: 6, box: `${racer}` }), {
                id: 'a',
                rotation: 5,
              }),
            ),
          )
          expect(results.filter((result) => result === 'written')).toHaveLength(1)
          expect(results.filter((result) => result === 'newer')).toHaveLength(RACERS - 1)
          expect((await one.read(key))?.box).toBe(`${results.indexOf('written')}`)
        }
      })

      it('of many processes for one turn have one winner', async () => {
        const fleets = [one, other]
        const key = newKey()
        const fences = new Set<number>()
        for (let round = 0; round < 5; round++) {
          const acquired = await Promise.all(
            Array.from({ length: RACERS }, (_, racer) =>
              (fleets[racer % 2] as Fleet).acquire(key, `${racer}`, undefined),
            ),
          )
          const winners = acquired.flatMap(({ result }, racer) => (result === 'granted' ? [racer] : []))
          expect(winners).toHaveLength(1)
          const [winner = 0] = winners
          const { fence } = granted(acquired[winner] as Acquired)
          fences.add(fence)
          await one.release(key, { fence, owner: `${winner}` }, true)
        }
        expect(fences.size).toBe(5)
      })

      it('of a sign-out with refreshes leave no session', async () => {
        for (let round = 0; round < 5; round++) {
          const key = newKey()
          if (round % 2) await one.replace(key, storedSession(), undefined)
          await Promise.all([
            ...Array.from({ length: RACERS }, (_, racer) =>
              other.replace(key, storedSession({ rotation: 6 + racer }), { id: 'a', rotation: 5 + racer }),
            ),
            one.remove(key, {
              id: 'a',
              rotation: Number.POSITIVE_INFINITY,
              startedAt: Number.POSITIVE_INFINITY,
            }),
          ])
          expect(await other.read(key)).toBeUndefined()
        }
      })
    })
  })
}
