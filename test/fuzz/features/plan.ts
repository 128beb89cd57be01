import fc from '../../support/property.ts'

/** Some milliseconds, or other numbers, that are taken in turns. */
const cycle = (...values: number[]) => fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 8 })

/** Mostly `usual`, and once in `times` one of the others. */
const rarely = <T>(times: number, usual: T, ...others: T[]) =>
  fc.oneof({ weight: times - 1, arbitrary: fc.constant(usual) }, ...others.map((one) => fc.constant(one)))

/** The features of the session. */
const features = fc.record({
  proofs: fc.boolean(),
  concurrency: fc.constantFrom(1, 1, 2, Number.POSITIVE_INFINITY),
  abortable: fc.boolean(),
  stepUp: fc.boolean(),
  limits: fc.boolean(),
  whenExpired: fc.constantFrom('reject', 'hold'),
  inspection: fc.boolean(),
  branch: fc.boolean(),
})

/** How long the world around the session takes, in milliseconds, and what it does now and then. Used in turns. */
const pace = fc.record({
  refresh: cycle(0, 5, 50, 400),
  signIn: cycle(0, 20),
  stepUp: cycle(0, 30, 300),
  prove: cycle(0, 0, 1, 10, 60),
  challenge: cycle(0, 0, 0, 0, 5),
  /** Lifetimes of tokens, in seconds. */
  lifetime: cycle(5, 20, 60, 600),
  /** Whether the server asks for another proof. */
  renewsProof: fc.array(rarely(10, false, true), { minLength: 1, maxLength: 16 }),
  /** What the user does who is asked to sign in again. */
  user: fc.array(fc.constantFrom('agrees', 'agrees', 'declines', 'is another'), {
    minLength: 1,
    maxLength: 8,
  }),
})

/** One request. */
const request = fc.record({
  /** The endpoint `admin` asks for more scope; `sick` refuses every token. */
  endpoint: fc.constantFrom('a', 'b', 'admin', 'sick'),
  onBranch: rarely(3, false, true),
  replayable: rarely(10, true, false),
  /** Whether it takes effect before it is refused. */
  acts: rarely(10, false, true),
  /** How long it may be held, in milliseconds. */
  timeout: rarely(10, undefined, 200),
  /** When its caller aborts it, in milliseconds. */
  abortedAfter: rarely(25, undefined, 0, 5, 50, 300),
  /** How long each sending takes, in milliseconds. */
  takes: cycle(0, 5, 40, 150),
  /** Which of its sendings the network loses. */
  lost: rarely(20, undefined, 0, 1),
})

const user = fc.constantFrom<string[]>('ada', 'ada', 'bob')

/** What happens. Requests are sent most often. */
const event = fc.oneof(
  {
    weight: 25,
    arbitrary: fc.record({
      type: fc.constant('send'),
      requests: fc.array(request, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('revokeAccessTokens') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('revokeRefreshTokens') }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('failRefreshes'), times: fc.constantFrom(1, 2) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('refresh') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('signOut') }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('signIn'), user }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('setTokens'), user }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('getAccessToken'),
      minValidity: fc.constantFrom(0, 1e9),
    }),
  },
)

/** What one run consists of: a session with these features, and what happens to it. */
export const plan = fc.record({
  features,
  pace,
  steps: fc.array(
    fc.record({
      event,
      /** Time until the next step, in milliseconds. */
      pause: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(0, 1, 10, 50, 100, 500, 3_000) },
        fc.constant(70_000),
      ),
    }),
    { minLength: 1, maxLength: 40, size: 'max' },
  ),
  /** Whether the session is disposed of right after the last step, whatever goes on. */
  endsAbruptly: rarely(5, false, true),
})

type ValueOf<A> = A extends fc.Arbitrary<infer T> ? T : never
export type Features = ValueOf<typeof features>
export type Pace = ValueOf<typeof pace>
export type RequestPlan = ValueOf<typeof request>
export type Event = ValueOf<typeof event>
