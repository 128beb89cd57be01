import { describe, expect, it } from 'vitest'
import type { AuthOptions } from '../../src/core/options.ts'
import { resolveOptions } from '../../src/core/resolve-options.ts'
import { createAuth, defineCoordinator, defineStorage, fromCookie, sessionLimits } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { fakeCoordinator } from './auth-setup.ts'

const refresh = () => ({ access_token: 'a' })
const resolveLoosely = (options: unknown) => resolveOptions(options as AuthOptions<never>)

describe('the options of createAuth', () => {
  it('have a default for everything but the refresh function', () => {
    expect(resolveOptions({ refresh })).toEqual({
      refreshAhead: undefined,
      refreshOn: 'timer',
      persist: 'all',
      retry: { attempts: 5, minDelay: 250, maxDelay: 30_000, jitter: 1 },
      timeouts: {
        refresh: 10_000,
        signIn: 30_000,
        revoke: 5_000,
        hold: 30_000,
        lock: 22_000,
        storage: 2_000,
      },
      queueLimit: 100_000,
      concurrency: Number.POSITIVE_INFINITY,
      historyLimit: 100,
      whenExpired: 'reject',
      ambiguousRefresh: 'retry',
      singleUser: false,
    })
  })

  it('keep the values that are given', () => {
    const given = {
      refreshAhead: 1,
      refreshOn: 'demand',
      persist: 'none',
      retry: { attempts: 2, minDelay: 3, maxDelay: 4, jitter: 0.5 },
      timeouts: { refresh: 5, signIn: 6, revoke: 7, hold: 8, lock: 9, storage: 10 },
      queueLimit: 13,
      historyLimit: 14,
      whenExpired: 'hold',
      ambiguousRefresh: 'expire',
      singleUser: true,
    } as const
    expect(resolveOptions({ refresh, ...given, release: { concurrency: 15 } })).toEqual({
      ...given,
      concurrency: 15,
    })
  })

  it('may be features that functions of the library made', () => {
    const features = {
      storage: memoryStorage(),
      coordinator: defineCoordinator(fakeCoordinator().coordinator),
      limits: sessionLimits({ idle: 1, absolute: 1 }),
      silentSignIn: fromCookie(),
    }
    expect(() => resolveOptions({ refresh, ...features })).not.toThrow()
    expect(() => resolveOptions({ refresh, limits: sessionLimits() })).not.toThrow()
  })

  it.each([
    [undefined, 'createAuth: refresh must be a function, not undefined.'],
    [{}, 'createAuth: refresh must be a function, not undefined.'],
    [{ refresh: 'x' }, 'createAuth: refresh must be a function, not a text.'],
    [{ refresh, signIn: 1 }, 'createAuth: signIn must be a function, not 1.'],
    [{ refresh, revoke: {} }, 'createAuth: revoke must be a function, not an object.'],
    [{ refresh, isFatal: true }, 'createAuth: isFatal must be a function, not true.'],
    [{ refresh, refreshAhead: -1 }, 'createAuth: refreshAhead must be a number of at least 0, not -1.'],
    [{ refresh, refreshAhead: '5' }, 'createAuth: refreshAhead must be a number of at least 0, not a text.'],
    [
      { refresh, refreshOn: 'always' },
      "createAuth: refreshOn must be 'timer' or 'activity' or 'demand', not a text.",
    ],
    [{ refresh, renew: 'timer' }, 'createAuth: renew is called refreshOn.'],
    [{ refresh, renew: undefined }, 'createAuth: renew is called refreshOn.'],
    [
      { refresh, storage: { read() {}, write() {}, clear() {} } },
      'createAuth: storage must be made by a function of the library, such as defineStorage({ read, write, clear }), not an object.',
    ],
    [
      { refresh, storage: null },
      'createAuth: storage must be made by a function of the library, such as defineStorage({ read, write, clear }), not null.',
    ],
    [
      { refresh, coordinator: { exclusive() {}, announce() {}, subscribe() {} } },
      'createAuth: coordinator must be made by a function of the library, such as defineCoordinator({ exclusive, announce, subscribe }), not an object.',
    ],
    [
      { refresh, limits: { idle: 60_000 } },
      'createAuth: limits must be made by a function of the library, such as sessionLimits({ idle, absolute }), not an object.',
    ],
    [
      { refresh, silentSignIn: true },
      'createAuth: silentSignIn must be made by a function of the library, such as fromCookie(), not true.',
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
      { refresh, retry: { jitter: true } },
      'createAuth: retry.jitter must be a number of at least 0 and at most 1, not true.',
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
    [{ refresh, retry: 3 }, 'createAuth: retry must be an object, not 3.'],
    [{ refresh, timeouts: 5_000 }, 'createAuth: timeouts must be an object, not 5000.'],
    [{ refresh, release: null }, 'createAuth: release must be an object, not null.'],
    [{ refresh, signIn: 'secret' }, 'createAuth: signIn must be a function, not a text.'],
    [{ refresh, queueLimit: -1 }, 'createAuth: queueLimit must be a number of at least 0, not -1.'],
    [
      { refresh, release: { concurrency: 0 } },
      'createAuth: release.concurrency must be a number of at least 1, not 0.',
    ],
    [{ refresh, historyLimit: -1 }, 'createAuth: historyLimit must be a number of at least 0, not -1.'],
    [
      { refresh, persist: 'token' },
      "createAuth: persist must be 'all' or 'refresh-token' or 'none', not a text.",
    ],
    [{ refresh, whenExpired: 'wait' }, "createAuth: whenExpired must be 'reject' or 'hold', not a text."],
    [{ refresh, singleUser: 'yes' }, 'createAuth: singleUser must be true or false, not a text.'],
    [
      { refresh, ambiguousRefresh: 'never' },
      "createAuth: ambiguousRefresh must be 'retry' or 'expire', not a text.",
    ],
  ])('cause a TypeError at once if they are invalid: %j', (options, message) => {
    const check = () => resolveLoosely(options)
    expect(check).toThrow(TypeError)
    expect(check).toThrow(message)
  })

  it.each<[string, () => unknown, string]>([
    [
      'sessionLimits, for idle',
      () => sessionLimits({ idle: 0 }),
      'sessionLimits: idle must be a number of at least 1, not 0.',
    ],
    [
      'sessionLimits, for absolute',
      () => sessionLimits({ absolute: 0 }),
      'sessionLimits: absolute must be a number of at least 1, not 0.',
    ],
    ...(['read', 'write', 'clear'] as const).map((name): [string, () => unknown, string] => [
      `defineStorage, for a missing ${name}`,
      () => defineStorage({ read() {}, write() {}, clear() {}, [name]: undefined } as never),
      `defineStorage: ${name} must be a function.`,
    ]),
    ...(['exclusive', 'announce', 'subscribe'] as const).map((name): [string, () => unknown, string] => [
      `defineCoordinator, for a missing ${name}`,
      () => defineCoordinator({ exclusive() {}, announce() {}, subscribe() {}, [name]: undefined } as never),
      `defineCoordinator: ${name} must be a function.`,
    ]),
    [
      'defineStorage, for nothing',
      () => defineStorage(undefined as never),
      'defineStorage: read must be a function.',
    ],
  ])('cause a TypeError at once in %s', (_, make, message) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(message)
  })

  it('reject unusable initial tokens without quoting them', () => {
    const make = () => createAuth({ refresh, initialTokens: { access_token: 'SECRET token' } })
    expect(make).toThrow(/access_token is not a string of visible ASCII/)
    expect(make).not.toThrow(/SECRET/)
  })

  it('make a working session on the real clock', async () => {
    using auth = createAuth({ refresh, initialTokens: { access_token: 'a', expires_in: 3_600 } })
    expect(await auth.getAccessToken()).toBe('a')
    expect(auth.session?.expiresAt).toBeGreaterThan(Date.now() + 3_500_000)
  })
})
