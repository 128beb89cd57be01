import fc from 'fast-check'

/** How long a request is held at most, in milliseconds. */
export const HOLD = 30_000

const never = Number.POSITIVE_INFINITY

const common = {
  /** Whether the first page starts with tokens. */
  signedIn: fc.boolean().map((no) => !no),
  /** Lifetime of an access token, in milliseconds. */
  lifetime: fc.constantFrom(600_000, 90_000, 20_000),
  /** How long the server accepts a used refresh token once more, in milliseconds. */
  grace: fc.constantFrom(never, 30_000, 0),
  /** Whether the `refresh` function rejects when its signal aborts. If not, its answers may come late. */
  obedient: fc.boolean(),
  refreshOn: fc.constantFrom('timer' as const, 'activity' as const, 'demand' as const),
  whenExpired: fc.constantFrom('reject' as const, 'hold' as const),
  ambiguousRefresh: fc.constantFrom('retry' as const, 'retry' as const, 'expire' as const),
  concurrency: fc.constantFrom(never, 1, 3),
  queueLimit: fc.constantFrom(1_000, 2),
  idle: fc.constantFrom(never, never, never, 120_000),
  absolute: fc.constantFrom(never, never, never, 300_000),
  /** Whether the store also holds when the session was last used. */
  sharesLastUse: fc.boolean(),
  persist: fc.constantFrom('all' as const, 'all' as const, 'refresh-token' as const),
  lockTimeout: fc.constantFrom(60_000, 5_000),
  /** Whether the store is asynchronous. */
  slowStore: fc.boolean(),
  /** Whether the store notifies the other pages of changes, as `localStorage` does. */
  notifies: fc.boolean(),
  /** The seed of `Math.random`, for the jitter of backoffs. */
  chance: fc.nat(999).map((thousandths) => thousandths / 1_000),
}

const onePage = fc.record({
  ...common,
  pages: fc.constant<1 | 2>(1),
  cookie: fc.constantFrom(false, false, false, true),
  store: fc.constantFrom<'none' | 'sound' | 'faulty'>('none', 'sound', 'faulty'),
  coordinator: fc.constantFrom<'none' | 'lock' | 'lossy' | 'broken'>('none', 'lock', 'broken'),
})

const twoPages = fc.record({
  ...common,
  pages: fc.constant<1 | 2>(2),
  cookie: fc.constant(false),
  store: fc.constantFrom<'none' | 'sound' | 'faulty'>('sound', 'sound', 'faulty'),
  coordinator: fc.constantFrom<'none' | 'lock' | 'lossy' | 'broken'>(
    'lock',
    'lock',
    'none',
    'lossy',
    'broken',
  ),
})

/** The settings of one world. */
export const config = fc.oneof({ weight: 2, arbitrary: onePage }, { weight: 3, arbitrary: twoPages })

export type Config = typeof config extends fc.Arbitrary<infer T> ? T : never
