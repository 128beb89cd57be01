import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { StorageError } from '../../src/core/errors.ts'
import type { StorageFeature } from '../../src/core/features/feature.ts'
import type { SessionRecord } from '../../src/core/ports.ts'
import { isSessionRecord } from '../../src/core/session/record.ts'
import { createAuth } from '../../src/index.ts'

/** A record with every field. */
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
/** A record with the required fields only. */
export const LEAST: SessionRecord = {
  version: 1,
  id: 'k',
  rotation: 0,
  startedAt: 0,
  receivedAt: 0,
  accessToken: 'at',
}

/** A place where several stores share one record. */
export interface StoragePlace {
  /** Opens another store of this place, as another tab or process would. */
  open(): StorageFeature
  /** Stores a value in the format of a record. */
  put(value: unknown): unknown
}

/** A fault of a place. */
export interface Fault<Place> {
  begin(place: Place): unknown
  /** Repairs the place, so that the store works again. */
  end(place: Place): unknown
  /** Matches the reason of the `StorageError`, or the name of another error. */
  readonly kind: RegExp
  /** The operations that still work. Default: none. */
  readonly spares?: readonly ('read' | 'clear')[]
}

/** The properties of a store that the contract depends on. */
export interface StorageTraits<Place> {
  /** Whose changes `subscribe` reports, after the first read: those of other stores, or all. Default: not tested. */
  readonly reports?: 'others' | 'all'
  /** Puts content into the place that no store has written, by its description. */
  readonly garbage?: Readonly<Record<string, (place: Place) => unknown>>
  readonly faults?: Readonly<Record<string, Fault<Place>>>
}

const NO_RECORDS = {
  'a record of a later version': { ...FULL, version: 2 },
  'a record of version 0': { ...FULL, version: 0 },
  'a record without a token': { ...FULL, accessToken: undefined },
  'a record with an empty token': { ...FULL, accessToken: '' },
  'a record of another library': { token: 'SECRET', user: { id: 1 } },
  'a list': [FULL],
  text: 'SECRET',
  'a number': 42,
}

/** The reason that the core reports for an error of a store. */
const kindOf = (error: unknown) => (error instanceof StorageError ? error.reason : (error as Error).name)

const outcome = async (operation: () => unknown): Promise<{ value: unknown } | { error: unknown }> => {
  try {
    return { value: await operation() }
  } catch (error) {
    return { error }
  }
}

/** Tests that every store must pass, sync or async. */
export function storageContract<Place extends StoragePlace>(
  name: string,
  create: () => Place | Promise<Place>,
  { reports, garbage = {}, faults = {} }: StorageTraits<Place> = {},
) {
  const open = async () => (await create()).open()

  describe(name, () => {
    it('returns no record before the first write', async () => {
      expect((await (await open()).read()) ?? undefined).toBeUndefined()
    })

    it.each([
      ['with every field', FULL],
      ['with the required fields only', LEAST],
      ['without an access token', { ...FULL, accessToken: null }],
    ])('reads back a record %s', async (_, record) => {
      const storage = await open()
      await storage.write(record)
      expect(await storage.read()).toEqual(record)
      expect(await storage.read()).toEqual(record)
    })

    it('returns the record of the last write', async () => {
      const storage = await open()
      await storage.write(FULL)
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('stores long and short records', async () => {
      const storage = await open()
      const long = { ...FULL, idToken: 'x'.repeat(100_000) }
      await storage.write(long)
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
      await storage.write(long)
      expect(await storage.read()).toEqual(long)
    })

    it('returns no record after clear, which may be called twice', async () => {
      const storage = await open()
      await storage.write(FULL)
      await storage.clear()
      await storage.clear()
      expect((await storage.read()) ?? undefined).toBeUndefined()
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('runs its operations in the order of the calls, even if the caller does not await them', async () => {
      const storage = await open()
      const operations = [
        storage.write({ ...FULL, idToken: 'x'.repeat(100_000) }),
        storage.clear(),
        storage.read(),
        storage.write(FULL),
        storage.write(LEAST),
        storage.read(),
        storage.clear(),
      ]
      expect((await storage.read()) ?? undefined).toBeUndefined()
      const answers = await Promise.all(operations)
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

    it('shares the time of the last use with all stores of the place until it is cleared, if it supports that', async () => {
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

    it('contains one complete record after two stores write at once', async () => {
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

    it('supports subscribe and unsubscribe without an error, if it has them', async () => {
      const storage = await open()
      expect(() => storage.subscribe?.(() => {})()).not.toThrow()
    })

    it.each(Object.entries(NO_RECORDS))('rejects or ignores an invalid record: %s', async (_, value) => {
      const place = await create()
      await place.put(value)
      await expectNoRecord(place.open())
    })

    it.each(Object.entries(garbage))('rejects or ignores invalid content: %s', async (_, spoil) => {
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
        let repaired = false
        const repair = async () => {
          if (!repaired) await end(place)
          repaired = true
        }
        onTestFinished(repair)
        await begin(place)
        return { storage, repair }
      }

      it('rejects with the reason, and never quotes the record in the error', async () => {
        const { storage, repair } = await broken()
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
        await repair()
        await storage.write(LEAST)
        expect(await storage.read()).toEqual(LEAST)
      })

      it('keeps the session in memory and emits storageFailed', async () => {
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

    if (reports)
      it('reports the changes of another store until it is unsubscribed', async () => {
        const place = await create()
        const [one, other] = [place.open(), place.open()]
        const [mine, theirs] = [vi.fn(), vi.fn()]
        const stop = one.subscribe?.(mine)
        const stopOther = place.open().subscribe?.(theirs)
        onTestFinished(() => stopOther?.())
        await one.read()

        await other.write(FULL)
        await expect.poll(() => mine.mock.calls.length).toBeGreaterThan(0)
        const received = mine.mock.calls.length
        await other.clear()
        await expect.poll(() => mine.mock.calls.length).toBeGreaterThan(received)

        await one.read()
        stop?.()
        await one.read()
        mine.mockClear()
        theirs.mockClear()
        await other.write(FULL)
        await expect.poll(() => theirs.mock.calls.length).toBeGreaterThan(0)
        expect(mine).not.toHaveBeenCalled()
      })

    if (reports === 'others')
      it('does not report its own changes', async () => {
        const place = await create()
        const [one, other] = [place.open(), place.open()]
        const onChange = vi.fn()
        const stop = one.subscribe?.(onChange)
        onTestFinished(() => stop?.())
        await one.write(FULL)
        await one.clear()
        await other.write(LEAST)
        await expect.poll(() => onChange.mock.calls.length).toBeGreaterThan(0)
        expect(onChange).toHaveBeenCalledOnce()
      })
  })
}

/** Expects that the store rejects, or returns a value that the core ignores, and that it works after that. */
async function expectNoRecord(storage: StorageFeature) {
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
