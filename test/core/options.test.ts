import { describe, expect, it } from 'vitest'
import { type AuthOptions, settle } from '../../src/core/options.ts'
import { createAuth } from '../../src/index.ts'

const refresh = () => ({ access_token: 'a' })
const settleLoosely = (options: unknown) => settle(options as AuthOptions<never>)

describe('the options of createAuth', () => {
  it('have defaults', () => {
    expect(settle({ refresh })).toEqual({
      refreshAhead: undefined,
      renew: 'timer',
      silentSignIn: false,
      persist: 'all',
      retry: { attempts: 5, minDelay: 250, maxDelay: 30_000, jitter: 1 },
      timeouts: {
        refresh: 10_000,
        signIn: 30_000,
        revoke: 5_000,
        hold: 30_000,
        lock: 12_000,
        storage: 2_000,
      },
      limits: { idle: Number.POSITIVE_INFINITY, absolute: Number.POSITIVE_INFINITY },
      queueLimit: 100_000,
      concurrency: Number.POSITIVE_INFINITY,
      historyLimit: 100,
      whenExpired: 'reject',
      ambiguousRefresh: 'retry',
    })
  })

  it('are taken as they are given', () => {
    const given = {
      refreshAhead: 1,
      renew: 'demand',
      silentSignIn: true,
      persist: 'none',
      retry: { attempts: 2, minDelay: 3, maxDelay: 4, jitter: 0.5 },
      timeouts: { refresh: 5, signIn: 6, revoke: 7, hold: 8, lock: 9, storage: 10 },
      limits: { idle: 11, absolute: 12 },
      queueLimit: 13,
      historyLimit: 14,
      whenExpired: 'hold',
      ambiguousRefresh: 'expire',
    } as const
    expect(settle({ refresh, ...given, release: { concurrency: 15 } })).toEqual({ ...given, concurrency: 15 })
  })

  it.each([
    [true, 1],
    [false, 0],
  ])('take jitter: %s for %i', (jitter, number) => {
    expect(settle({ refresh, retry: { jitter } }).retry.jitter).toBe(number)
  })

  it.each([
    [undefined, 'createAuth: refresh must be a function, not undefined.'],
    [{}, 'createAuth: refresh must be a function, not undefined.'],
    [{ refresh: 'x' }, 'createAuth: refresh must be a function, not x.'],
    [{ refresh, signIn: 1 }, 'createAuth: signIn must be a function, not 1.'],
    [{ refresh, revoke: {} }, 'createAuth: revoke must be a function, not an object.'],
    [{ refresh, isFatal: true }, 'createAuth: isFatal must be a function, not true.'],
    [{ refresh, refreshAhead: -1 }, 'createAuth: refreshAhead must be a number of at least 0, not -1.'],
    [{ refresh, refreshAhead: '5' }, 'createAuth: refreshAhead must be a number of at least 0, not 5.'],
    [
      { refresh, renew: 'always' },
      "createAuth: renew must be 'timer' or 'activity' or 'demand', not always.",
    ],
    [
      { refresh, retry: { attempts: 0 } },
      'createAuth: retry.attempts must be a number of at least 1, not 0.',
    ],
    [
      { refresh, retry: { minDelay: Number.NaN } },
      'createAuth: retry.minDelay must be a number of at least 0, not NaN.',
    ],
    [
      { refresh, retry: { jitter: 2 } },
      'createAuth: retry.jitter must be a number of at least 0 and at most 1, not 2.',
    ],
    ...(['refresh', 'signIn', 'revoke', 'hold', 'lock', 'storage'] as const).map(
      (name): [unknown, string] => [
        { refresh, timeouts: { [name]: -1 } },
        `createAuth: timeouts.${name} must be a number of at least 0, not -1.`,
      ],
    ),
    [{ refresh, limits: { idle: 0 } }, 'createAuth: limits.idle must be a number of at least 1, not 0.'],
    [
      { refresh, limits: { absolute: 0 } },
      'createAuth: limits.absolute must be a number of at least 1, not 0.',
    ],
    [{ refresh, queueLimit: -1 }, 'createAuth: queueLimit must be a number of at least 0, not -1.'],
    [
      { refresh, release: { concurrency: 0 } },
      'createAuth: release.concurrency must be a number of at least 1, not 0.',
    ],
    [{ refresh, historyLimit: -1 }, 'createAuth: historyLimit must be a number of at least 0, not -1.'],
    [
      { refresh, persist: 'token' },
      "createAuth: persist must be 'all' or 'refresh-token' or 'none', not token.",
    ],
    [{ refresh, whenExpired: 'wait' }, "createAuth: whenExpired must be 'reject' or 'hold', not wait."],
    [
      { refresh, ambiguousRefresh: 'never' },
      "createAuth: ambiguousRefresh must be 'retry' or 'expire', not never.",
    ],
  ])('are checked at the door: %j', (options, message) => {
    const check = () => settleLoosely(options)
    expect(check).toThrow(TypeError)
    expect(check).toThrow(message)
  })

  it('reject initial tokens that cannot be used, without quoting them', () => {
    const make = () => createAuth({ refresh, initialTokens: { access_token: 'SECRET token' } })
    expect(make).toThrow(/access_token is not a string of visible ASCII/)
    expect(make).not.toThrow(/SECRET/)
  })

  it('make a session that works, on the real clock', async () => {
    using auth = createAuth({ refresh, initialTokens: { access_token: 'a', expires_in: 3_600 } })
    expect(await auth.getAccessToken()).toBe('a')
    expect(auth.session?.expiresAt).toBeGreaterThan(Date.now() + 3_500_000)
  })
})
