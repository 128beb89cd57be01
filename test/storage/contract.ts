import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { isSessionRecord } from '../../src/core/session-store.ts'
import { createAuth } from '../../src/index.ts'

/** A record with every field, and one with the least there must be. */
export const FULL: SessionRecord = {
  version: 1,
  id: 'k3v9x',
  rotation: 4,
  startedAt: 1_700_000_000_000,
  receivedAt: 1_700_000_100_000,
  accessToken: 'at-"quoted"\\and/slashed',
  refreshToken: 'rt',
  idToken: 'a.b.c',
  expiresAt: 1_700_000_700_000,
  refreshTokenExpiresAt: 1_800_000_000_000,
  scope: 'read wríte 愛',
  subject: 'ada',
}
export const LEAST: SessionRecord = {
  version: 1,
  id: 'k',
  rotation: 0,
  startedAt: 0,
  receivedAt: 0,
  accessToken: 'at',
}

/** Where stores keep a record: several stores reach the same one. */
export interface StoragePlace {
  /** Another store of this place, as another tab or process has one. */
  open(): SessionStorage
  /** Puts something there in the form that a record has there. */
  put(value: unknown): unknown
}

/** What can go wrong with a place. */
export interface Fault<Place> {
  begin(place: Place): unknown
  /** Nothing stays broken: from here on the store works again. */
  end(place: Place): unknown
  /** What is thrown: the reason of a `StorageError`, or the name of another error. */
  readonly kind: RegExp
  /** What still works. Default: nothing. */
  readonly spares?: readonly ('read' | 'clear')[]
}

/** What is told of a store besides how it is made. */
export interface StorageTraits<Place> {
  /** Whether a store hears what others do there, or others and itself, and does so as soon as it has been read once. */
  readonly hears?: 'others' | 'all'
  /** What may lie there that no store has written, by what it is. */
  readonly garbage?: Readonly<Record<string, (place: Place) => unknown>>
  readonly faults?: Readonly<Record<string, Fault<Place>>>
}

const NO_RECORDS = {
  'of the version to come': { ...FULL, version: 2 },
  'of a version before the first': { ...FULL, version: 0 },
  'without a token': { ...FULL, accessToken: undefined },
  'with an empty token': { ...FULL, accessToken: '' },
  'of another library': { token: 'SECRET', user: { id: 1 } },
  'a list': [FULL],
  'a text': 'SECRET',
  'a number': 42,
}

/** How the core names what a store throws. */
const kindOf = (error: unknown) => (error instanceof StorageError ? error.reason : (error as Error).name)

const outcome = async (operation: () => unknown): Promise<{ value: unknown } | { error: unknown }> => {
  try {
    return { value: await operation() }
  } catch (error) {
    return { error }
  }
}

/** What every store has to do, sync or async. */
export function storageContract<Place extends StoragePlace>(
  name: string,
  create: () => Place | Promise<Place>,
  { hears, garbage = {}, faults = {} }: StorageTraits<Place> = {},
) {
  const open = async () => (await create()).open()

  describe(name, () => {
    it('is empty at first', async () => {
      expect((await (await open()).read()) ?? undefined).toBeUndefined()
    })

    it.each([FULL, LEAST, { ...FULL, accessToken: null }])('gives back what was written', async (record) => {
      const storage = await open()
      await storage.write(record)
      expect(await storage.read()).toEqual(record)
      expect(await storage.read()).toEqual(record)
    })

    it('keeps the last that was written', async () => {
      const storage = await open()
      await storage.write(FULL)
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('keeps a record of any length', async () => {
      const storage = await open()
      const long = { ...FULL, idToken: 'x'.repeat(100_000) }
      await storage.write(long)
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
      await storage.write(long)
      expect(await storage.read()).toEqual(long)
    })

    it('is empty after clear, which may be called again', async () => {
      const storage = await open()
      await storage.write(FULL)
      await storage.clear()
      await storage.clear()
      expect((await storage.read()) ?? undefined).toBeUndefined()
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('does what is asked of it in the order it is asked, whether or not anybody waits', async () => {
      const storage = await open()
      const asked = [
        storage.write({ ...FULL, idToken: 'x'.repeat(100_000) }),
        storage.clear(),
        storage.read(),
        storage.write(FULL),
        storage.write(LEAST),
        storage.read(),
        storage.clear(),
      ]
      expect((await storage.read()) ?? undefined).toBeUndefined()
      const answers = await Promise.all(asked)
      expect(answers[2] ?? undefined).toBeUndefined()
      expect(answers[5]).toEqual(LEAST)
    })

    it('shares its record with every other store of the same place', async () => {
      const place = await create()
      const [one, other] = [place.open(), place.open()]
      await one.write(FULL)
      expect(await other.read()).toEqual(FULL)
      await other.write(LEAST)
      expect(await one.read()).toEqual(LEAST)
      await other.clear()
      expect((await one.read()) ?? undefined).toBeUndefined()
    })

    it('keeps when the session was last used beside the record, for all, until it is cleared, or does not offer it', async () => {
      const place = await create()
      const [one, other] = [place.open(), place.open()]
      expect(one.readLastUse === undefined).toBe(one.writeLastUse === undefined)
      if (!one.readLastUse) return
      expect(await one.readLastUse()).toBeUndefined()
      await one.write(FULL)
      await one.writeLastUse?.(1_700_000_000_001)
      await one.writeLastUse?.(1_700_000_000_002)
      expect(await other.readLastUse?.()).toBe(1_700_000_000_002)
      await other.write(LEAST)
      expect(await one.read()).toEqual(LEAST)
      expect(await one.readLastUse()).toBe(1_700_000_000_002)
      await other.clear()
      expect(await one.readLastUse()).toBeUndefined()
      await other.writeLastUse?.(1_700_000_000_003)
      expect((await one.read()) ?? undefined).toBeUndefined()
    })

    it('holds one whole record when two write at once, the same for both', async () => {
      const place = await create()
      const writers = [place.open(), place.open()]
      for (let round = 0; round < 10; round++) {
        await Promise.all(writers.map((writer, n) => writer.write({ ...FULL, id: `${round}-${n}` })))
        const [one, other] = await Promise.all(writers.map((writer) => writer.read()))
        expect([`${round}-0`, `${round}-1`]).toContain((one as SessionRecord).id)
        expect(one).toEqual({ ...FULL, id: (one as SessionRecord).id })
        expect(other).toEqual(one)
      }
    })

    it('can be listened to, and left alone again, where it says so', async () => {
      const storage = await open()
      expect(() => storage.subscribe?.(() => {})()).not.toThrow()
    })

    it.each(Object.entries(NO_RECORDS))('takes for no record what is there: %s', async (_, value) => {
      const place = await create()
      await place.put(value)
      await expectNoRecord(place.open())
    })

    it.each(Object.entries(garbage))('takes for no record what is there: %s', async (_, spoil) => {
      const place = await create()
      await place.open().write(FULL)
      await spoil(place)
      await expectNoRecord(place.open())
    })

    describe.each(Object.entries(faults))('with %s', (_, { begin, end, kind, spares = [] }) => {
      const broken = async () => {
        const place = await create()
        const storage = place.open()
        await storage.write(FULL)
        let over = false
        const mend = async () => {
          if (!over) await end(place)
          over = true
        }
        onTestFinished(mend)
        await begin(place)
        return { storage, mend }
      }

      it('says what is wrong, and nothing of what it was to keep', async () => {
        const { storage, mend } = await broken()
        const secret = { ...FULL, accessToken: 'SECRET-at', refreshToken: 'SECRET-rt' }
        const written = await outcome(() => storage.write(secret))
        const read = await outcome(() => storage.read())
        const cleared = await outcome(() => storage.clear())
        expect(written).toHaveProperty('error')
        if (spares.includes('read')) expect(read).toEqual({ value: FULL })
        else expect(read).toHaveProperty('error')
        expect(Object.keys(cleared)).toEqual([spares.includes('clear') ? 'value' : 'error'])
        for (const result of [written, read, cleared]) {
          if (!('error' in result)) continue
          expect(kindOf(result.error)).toMatch(kind)
          expect(String((result.error as Error).stack)).not.toContain('SECRET')
        }
        await mend()
        await storage.write(LEAST)
        expect(await storage.read()).toEqual(LEAST)
      })

      it('fails no session: it lives on in memory, and the app is told', async () => {
        const { storage } = await broken()
        const auth = createAuth({ storage, refresh: () => ({ access_token: 'b' }) })
        onTestFinished(auth.dispose)
        await auth.setTokens({ access_token: 'a' })
        await auth.refresh()
        expect(await auth.getAccessToken()).toBe('b')
        await auth.signOut()
        const failures = auth.history.filter(({ type }) => type === 'storageFailed')
        expect(failures.length).toBeGreaterThan(0)
        for (const failure of failures) expect(failure).toHaveProperty('reason', expect.stringMatching(kind))
      })
    })

    if (hears)
      it('hears what another store does there, until it is left alone', async () => {
        const place = await create()
        const [one, other] = [place.open(), place.open()]
        const [mine, theirs] = [vi.fn(), vi.fn()]
        const stop = one.subscribe?.(mine)
        const stopOther = place.open().subscribe?.(theirs)
        onTestFinished(() => stopOther?.())
        await one.read()

        await other.write(FULL)
        await expect.poll(() => mine.mock.calls.length).toBeGreaterThan(0)
        const heard = mine.mock.calls.length
        await other.clear()
        await expect.poll(() => mine.mock.calls.length).toBeGreaterThan(heard)

        await one.read()
        stop?.()
        await one.read()
        mine.mockClear()
        theirs.mockClear()
        await other.write(FULL)
        await expect.poll(() => theirs.mock.calls.length).toBeGreaterThan(0)
        expect(mine).not.toHaveBeenCalled()
      })

    if (hears === 'others')
      it('does not hear itself', async () => {
        const place = await create()
        const [one, other] = [place.open(), place.open()]
        const heard = vi.fn()
        const stop = one.subscribe?.(heard)
        onTestFinished(() => stop?.())
        await one.write(FULL)
        await one.clear()
        await other.write(LEAST)
        await expect.poll(() => heard.mock.calls.length).toBeGreaterThan(0)
        expect(heard).toHaveBeenCalledOnce()
      })
  })
}

/** Whatever lies there, the store says so or gives it to the core to see, and can be used from then on. */
async function expectNoRecord(storage: SessionStorage) {
  const found = await outcome(() => storage.read())
  if ('error' in found) {
    expect(found.error).toMatchObject({ code: 'storage_failed', reason: 'invalid_record' })
    expect(String((found.error as Error).stack)).not.toMatch(/SECRET|quoted/)
  } else expect(isSessionRecord(found.value)).toBe(false)

  const auth = createAuth({ storage, refresh: () => ({ access_token: 'b' }) })
  onTestFinished(auth.dispose)
  await auth.ready()
  expect(auth.state).toBe('anonymous')
  await auth.setTokens({ access_token: 'a' })
  expect(await storage.read()).toMatchObject({ accessToken: 'a' })
}
