import { describe, expect, it } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'

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

/** What every store has to do, sync or async. */
export function storageContract(name: string, create: () => SessionStorage) {
  describe(name, () => {
    it('is empty at first', async () => {
      expect((await create().read()) ?? undefined).toBeUndefined()
    })

    it.each([FULL, LEAST])('gives back what was written', async (record) => {
      const storage = create()
      await storage.write(record)
      expect(await storage.read()).toEqual(record)
      expect(await storage.read()).toEqual(record)
    })

    it('keeps the last that was written', async () => {
      const storage = create()
      await storage.write(FULL)
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('is empty after clear, which may be called again', async () => {
      const storage = create()
      await storage.write(FULL)
      await storage.clear()
      await storage.clear()
      expect((await storage.read()) ?? undefined).toBeUndefined()
      await storage.write(LEAST)
      expect(await storage.read()).toEqual(LEAST)
    })

    it('can be listened to, and left alone again, where it says so', () => {
      const storage = create()
      expect(() => storage.subscribe?.(() => {})()).not.toThrow()
    })
  })
}
