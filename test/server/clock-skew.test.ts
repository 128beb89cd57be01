import { describe, expect, it } from 'vitest'
import type { SessionRecord } from '../../src/core/ports.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { createAuth, sessionLimits } from '../../src/index.ts'
import { inOwnTime, withTime } from '../../src/server/clock-skew.ts'
import { fleetSession } from '../../src/server/fleet-session.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createWorld, KEYS, quiet } from './fleet-setup.ts'

const record: SessionRecord = {
  version: 1,
  id: 'a',
  rotation: 3,
  startedAt: 500,
  receivedAt: 10_000,
  accessToken: 'at',
  expiresAt: 70_000,
  refreshTokenExpiresAt: 900_000,
}

describe('a record of a process with another clock', () => {
  it.each([
    ['ahead', 250_000],
    ['behind', -4_000],
  ])('is converted to the own clock, which is %s', (_, ahead) => {
    const own = inOwnTime(withTime(record, 10_005), 2_000, 12_005 + ahead)
    expect(own).toEqual({
      ...record,
      receivedAt: 10_000 + ahead > 0 ? 10_000 + ahead : 0,
      expiresAt: 70_000 + ahead,
      refreshTokenExpiresAt: 900_000 + ahead,
    })
  })

  it('is converted by less if its token lives for less', () => {
    const short = { ...record, expiresAt: 12_000 }
    expect(inOwnTime(withTime(short, 10_005), 2_000, 12_505)).toMatchObject({ expiresAt: 12_500 })
    expect(inOwnTime(withTime(short, 10_005), 2_000, 12_055)).toEqual(short)
  })

  it.each([
    ['that took a while to be written', withTime(record, 10_005), 2_000, 12_900],
    ['of unknown age', withTime(record, 10_005), undefined, 500_000],
    ['without a time', record, 2_000, 500_000],
    ['with a wrong time', { ...record, sealedAt: 'x' as never }, 2_000, 500_000],
    ['with a time that is not a number', { ...record, sealedAt: Number.NaN }, 2_000, 500_000],
  ])('one %s stays as it is', (_, sealed, age, now) => {
    expect(inOwnTime(sealed, age, now)).toEqual(record)
  })

  it('is not refreshed before it is due, however far the clocks are apart', async () => {
    const clock = createVirtualClock()
    const server = createTokenServer({ clock, accessTokenLifetime: 60_000 })
    const fleet = memoryFleet({ now: clock.now })
    const auths = [0, 240_000, -240_000].map((ahead) => {
      const own = { ...clock, now: () => clock.now() + ahead }
      return createAuth({
        clock: own,
        signIn: async () => server.issue(),
        refresh: async ({ refreshToken }) => server.renew(refreshToken ?? ''),
        ...fleetSession({ fleet, key: 'service', keys: KEYS, clock: own }),
      })
    })
    await auths[0]?.signIn({})
    await quiet()
    for (let passed = 0; passed < 300_000; passed += 500) {
      await clock.advance(500)
      await quiet()
      if (passed < 40_000) expect(server.refreshes).toBe(0)
    }
    expect(server.refreshes).toBeGreaterThanOrEqual(5)
    expect(server.refreshes).toBeLessThanOrEqual(7)
    expect(server.reuseDetections).toBe(0)
    for (const auth of auths) {
      expect(auth.session).toBeDefined()
      auth.dispose()
    }
  })
})

describe('the limits of a session', () => {
  it.each([240_000, -240_000])(
    'count from the uses in all processes, also in one whose clock is %i ms ahead',
    async (ahead) => {
      const { clock, pool, server, pass } = createWorld({ accessTokenLifetime: 3_600_000 })
      const limits = sessionLimits({ idle: 180_000 })
      const pools = [pool({ limits }), pool({ limits, clock: { ...clock, now: () => clock.now() + ahead } })]
      const { key } = await pools[0]!.signIn({ username: 'ada' })
      const use = (turn: number) => pools[turn % 2]!.use(key, (auth) => auth.getAccessToken())
      for (let turn = 0; turn < 10; turn++) {
        await pass(60_000)
        expect(await use(turn)).toMatch(/^at-/)
      }
      await pass(181_000)
      await expect(use(0)).rejects.toMatchObject({ code: 'session_expired', reason: 'idle' })
      await pass(1)
      expect(server.revocations).toBe(1)
    },
  )
})
