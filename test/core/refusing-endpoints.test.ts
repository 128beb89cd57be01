import { describe, expect, it } from 'vitest'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { RefusingEndpoints } from '../../src/core/requests/refusing-endpoints.ts'
import type { Vault } from '../../src/core/session/vault.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import { createHarness, tokens } from './auth-setup.ts'

const COOL_DOWN = 30_000

/** A session, and an API that answers with the status that the test sets. */
function started() {
  const made = createHarness({ retry: { maxDelay: COOL_DOWN }, refreshOn: 'demand' })
  const api = { status: 401 }
  const ask = async (key = 'POST /graphql') => {
    const answer = bearerRequest(made.auth, {
      send: async () => api.status,
      challenge: (status) => (status === 401 ? 'refresh' : undefined),
      replayable: true,
      key: () => key,
    })
    await made.clock.advance(0)
    return answer
  }
  /** The endpoint rejects a token that is fresh from a refresh. */
  const refuseFresh = async () => {
    const answer = ask()
    await made.clock.advance(0)
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
    expect(await answer).toBe(401)
  }
  return { ...made, api, ask, refuseFresh }
}

describe('an endpoint that rejected a fresh token', () => {
  it('causes no other refresh before retry.maxDelay has passed', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    await clock.advance(COOL_DOWN - 1)
    expect(await ask()).toBe(401)
    expect(refresh.calls).toHaveLength(1)
  })

  it('causes a refresh after retry.maxDelay, because the token may have expired since', async () => {
    const { ask, refuseFresh, refresh, clock, api } = started()
    await refuseFresh()
    await clock.advance(COOL_DOWN)
    const answer = ask()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    api.status = 200
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(await answer).toBe(200)
  })

  it('causes no other refresh even if it accepts the token, because one path may serve many operations', async () => {
    const { ask, refuseFresh, refresh, api } = started()
    await refuseFresh()
    api.status = 200
    expect(await ask()).toBe(200)
    api.status = 401
    expect(await ask()).toBe(401)
    expect(refresh.calls).toHaveLength(1)
  })

  it('stays in doubt when another endpoint causes a refresh', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    const other = ask('GET /me')
    await clock.advance(0)
    refresh.call().resolve(tokens(3))
    expect(await other).toBe(401)
    expect(await ask()).toBe(401)
    expect(await ask('GET /me')).toBe(401)
    expect(refresh.calls).toHaveLength(2)
  })

  it('may cause a refresh for another user', async () => {
    const { ask, refuseFresh, refresh, clock, auth } = started()
    await refuseFresh()
    await auth.setTokens(tokens(3))
    const answer = ask()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(4))
    expect(await answer).toBe(401)
  })

  it('may cause a refresh after the clock was set back', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    clock.jump(-3_600_000)
    const answer = ask()
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().resolve(tokens(3))
    expect(await answer).toBe(401)
  })

  it('does not keep another endpoint from causing a refresh', async () => {
    const { ask, refuseFresh, refresh, clock } = started()
    await refuseFresh()
    const other = ask('GET /me')
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    refresh.call().reject({ error: 'invalid_grant' })
    await expect(other).rejects.toMatchObject({ code: 'session_expired' })
  })
})

const KINDS = ['sick', 'oneShot', 'mixed', 'healthy'] as const
type Kind = (typeof KINDS)[number]

/** A session whose refreshes succeed at once, and an API with endpoints of each kind. */
function world(retry = { maxDelay: COOL_DOWN }) {
  /** When each refresh took place, and which endpoint was asked then. */
  const refreshes: { at: number; by: string }[] = []
  let asked = ''
  let revoked = false
  const harness = createHarness({
    retry,
    refreshOn: 'demand',
    refresh: async () => {
      refreshes.push({ at: harness.clock.now(), by: asked })
      revoked = false
      return tokens(refreshes.length + 1)
    },
  })
  const { auth, clock } = harness
  const accepts = (kind: Kind, isPublic: boolean) =>
    !revoked && (kind === 'healthy' || (kind === 'mixed' && isPublic))
  return {
    clock,
    refreshes,
    revoke() {
      revoked = true
    },
    async ask(kind: Kind, path: string | number, isPublic = false) {
      asked = `${kind} ${path}`
      const answer = bearerRequest(auth, {
        send: async () => (accepts(kind, isPublic) ? 200 : 401),
        challenge: (status) => (status === 401 ? 'refresh' : undefined),
        replayable: kind !== 'oneShot',
        key: () => `${kind} ${path}`,
      })
      await clock.advance(0)
      return answer
    },
  }
}

describe('endpoints that always answer 401', () => {
  it('cost a bounded number of refreshes per time, however many they are and whatever answers in between', async () => {
    const step = fc.record({
      kind: fc.constantFrom(...KINDS),
      path: fc.nat(30),
      isPublic: fc.boolean(),
      revokes: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
      wait: fc.oneof(fc.nat(500), fc.integer({ min: 500, max: 2 * COOL_DOWN })),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 200 }), async (steps) => {
        const { ask, clock, refreshes, revoke } = world()
        const revocations: number[] = []
        for (const { kind, path, isPublic, revokes, wait } of steps) {
          if (revokes) {
            revoke()
            revocations.push(clock.now())
          }
          await ask(kind, path, isPublic)
          await clock.advance(wait)
        }
        for (const { at, by } of refreshes) {
          const within = (instant: number) => instant <= at && instant > at - COOL_DOWN
          const recent = refreshes.filter((refresh) => within(refresh.at))
          expect(recent.length).toBeLessThanOrEqual(6 + revocations.filter(within).length)
          // A mixed endpoint may also cause a refresh that helps.
          if (/sick|oneShot/.test(by)) expect(recent.filter((refresh) => refresh.by === by)).toHaveLength(1)
        }
      }),
      { numRuns: 60 },
    )
  }, 180_000)

  it('do not keep an endpoint that works from causing a refresh', async () => {
    const { ask, refreshes, revoke } = world()
    for (let round = 0; round < 5; round++) {
      for (let path = 0; path < 20; path++) await ask('sick', path)
      expect(await ask('healthy', 'me')).toBe(200)
    }
    const before = refreshes.length
    revoke()
    expect(await ask('healthy', 'me')).toBe(200)
    expect(refreshes).toHaveLength(before + 1)
  })

  it('have a new budget after retry.maxDelay', async () => {
    const { ask, refreshes, clock } = world()
    for (let path = 0; path < 10; path++) await ask('sick', path)
    expect(refreshes).toHaveLength(3)
    await clock.advance(COOL_DOWN)
    for (let path = 10; path < 20; path++) await ask('sick', path)
    expect(refreshes).toHaveLength(6)
  })

  it('let a request wait with the others while a refresh is on its way already', async () => {
    const { auth, clock, refresh } = createHarness({ refreshOn: 'demand' })
    const ask = (key: string, statuses: number[]) =>
      bearerRequest(auth, {
        send: async () => statuses.shift(),
        challenge: (status) => (status === 401 ? 'refresh' : undefined),
        replayable: true,
        key: () => key,
      })
    for (let n = 0; n < 3; n++) {
      const sick = ask(`GET /${n}`, [401, 401])
      await clock.advance(0)
      refresh.call().resolve(tokens(n + 2))
      expect(await sick).toBe(401)
    }
    expect(await ask('GET /3', [401])).toBe(401)
    await ask('GET /me', [200])
    const [me, other] = [ask('GET /me', [401, 200]), ask('GET /other', [401, 200])]
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(4)
    refresh.call().resolve(tokens(5))
    expect(await Promise.all([me, other])).toEqual([200, 200])
  })

  it('cost no more with a short retry.maxDelay', async () => {
    const { ask, refreshes, clock } = world({ maxDelay: 0 })
    for (let path = 0; path < 100; path++) {
      await ask('sick', path)
      await clock.advance(40)
    }
    expect(refreshes).toHaveLength(3)
  })

  it('are remembered up to a number that does not grow', () => {
    const clock = createVirtualClock()
    const kernel = { clock, settings: { retry: { maxDelay: COOL_DOWN } } }
    const endpoints = new RefusingEndpoints(kernel as never, { epoch: 0 } as Vault)
    const most = 1_000
    for (let n = 0; n < 5 * most; n++) endpoints.addRefusal(`/${n}`)
    const doubted = Array.from({ length: 5 * most }, (_, n) => endpoints.mayRefresh(`/${n}`))
    expect(doubted.filter((may) => !may)).toHaveLength(most)
    clock.jump(COOL_DOWN)
    expect(endpoints.mayRefresh('/0')).toBe(true)
    expect(endpoints.isEmpty).toBe(true)
  })
})

describe('an endpoint that works', () => {
  it('causes a refresh each time the server revokes the token, however often', async () => {
    const { ask, refreshes, revoke } = world()
    for (let time = 1; time <= 20; time++) {
      revoke()
      expect(await ask('healthy', 'me')).toBe(200)
      expect(refreshes).toHaveLength(time)
    }
  })
})

describe('a failed refresh', () => {
  it('does not count as a refresh that did not help', async () => {
    const { auth, clock, refresh } = createHarness({
      refreshOn: 'demand',
      retry: { attempts: 1, maxDelay: 1_000 },
    })
    const ask = () =>
      bearerRequest(auth, {
        send: async () => 401,
        challenge: () => 'refresh',
        replayable: true,
        key: () => 'GET /me',
      })
    for (let n = 0; n < 5; n++) {
      const answer = ask()
      await clock.advance(0)
      refresh.call().reject(new Response(null, { status: 503 }))
      await expect(answer).rejects.toMatchObject({ code: 'refresh_unavailable' })
      const refreshed = auth.refresh()
      await clock.advance(0)
      refresh.call().resolve(tokens(n + 2))
      await refreshed
    }
    expect(refresh.calls).toHaveLength(10)
  })
})

describe('a token that another process has left in the store', () => {
  /** Two processes with one store and no channel; the other one refreshes after that many milliseconds. */
  async function adopting(age: number) {
    const storage = memoryStorage()
    const clock = createVirtualClock()
    const common = { clock, refreshOn: 'demand', persist: 'all' } as const
    const first = { ...tokens(1), expires_in: undefined }
    const mine = createHarness({ ...common, storage: { ...storage }, initialTokens: first })
    await clock.advance(0)
    const other = createHarness({ ...common, storage: { ...storage }, signedOut: true })
    await clock.advance(0)
    const refreshed = other.auth.refresh()
    await clock.advance(0)
    other.refresh.call().resolve({ ...tokens(2), expires_in: undefined })
    await refreshed
    await clock.advance(age)
    const ask = () =>
      bearerRequest(mine.auth, {
        send: async (authorization) => (authorization?.endsWith('at-3') ? 200 : 401),
        challenge: (status) => (status === 401 ? 'refresh' : undefined),
        replayable: true,
        key: () => 'GET /me',
      })
    const answer = ask()
    await clock.advance(0)
    expect(await answer).toBe(401)
    return { ...mine, ask, clock }
  }

  it('may have expired as well: a 401 of it causes a refresh', async () => {
    const { ask, refresh, clock } = await adopting(60_000)
    expect(refresh.calls).toHaveLength(1)
    const next = ask()
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(await next).toBe(200)
  })

  it('is fresh if it came a moment ago: then the endpoint is in doubt', async () => {
    const { ask, refresh, clock } = await adopting(500)
    const next = ask()
    await clock.advance(0)
    expect(await next).toBe(401)
    expect(refresh.calls).toHaveLength(0)
  })
})
