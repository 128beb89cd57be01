import { expect, onTestFinished } from 'vitest'
import type { AuthEmitted } from '../../machines/index.ts'
import { createAuthWith } from '../../src/core/create-auth.ts'
import { type SessionLimitsOptions, sessionLimits } from '../../src/core/features/session-limits.ts'
import { defineCoordinator, defineStorage, fromCookie } from '../../src/core/features/share.ts'
import type { AuthOptions, RefreshRequest } from '../../src/core/options.ts'
import type {
  Coordinator,
  CoordinatorMessage,
  Environment,
  EnvironmentSignal,
  SessionStorage,
  TokenResponse,
} from '../../src/core/ports.ts'
import { createVirtualClock, settled, type VirtualClock } from '../../src/testing/virtual-clock.ts'

/** The prefix of every secret in these tests, so that one search finds them all. */
export const SECRET = 'SECRET'
/** Lifetime of the tokens made here, in milliseconds. */
export const LIFETIME = 600_000

/** The n-th token set of a session. */
export const tokens = (n: number, more: object = {}): TokenResponse => ({
  access_token: `${SECRET}-at-${n}`,
  refresh_token: `${SECRET}-rt-${n}`,
  token_type: 'Bearer',
  expires_in: LIFETIME / 1000,
  ...more,
})

/** A function that never answers. */
export const hang = () => new Promise<never>(() => {})

/** One call of a scripted function, which the test answers. */
export interface Call<Argument> {
  readonly argument: Argument
  readonly resolve: (value: TokenResponse | PromiseLike<TokenResponse>) => void
  readonly reject: (error: unknown) => void
}

/** A function whose calls the test answers one by one. */
export function scripted<Argument>() {
  const calls: Call<Argument>[] = []
  const run = (argument: Argument) =>
    new Promise<TokenResponse>((resolve, reject) => {
      calls.push({ argument, resolve, reject })
    })
  return {
    run,
    calls,
    /** The call with that index, by default the last one. */
    call(index = calls.length - 1): Call<Argument> {
      const call = calls[index]
      if (!call) throw new Error(`There is no call ${index}: there were ${calls.length}`)
      return call
    },
  }
}

export function fakeEnvironment() {
  const listeners = new Map<EnvironmentSignal, Set<() => void>>()
  let online = true
  const environment: Environment = {
    online: () => online,
    subscribe(kind, listener) {
      const set = listeners.get(kind) ?? new Set()
      listeners.set(kind, set.add(listener))
      return () => set.delete(listener)
    },
  }
  return {
    environment,
    signal(kind: EnvironmentSignal) {
      if (kind === 'online') online = true
      if (kind === 'offline') online = false
      for (const listener of listeners.get(kind) ?? []) listener()
    },
    /** Sets the network state without a signal, so that only `online()` reports it. */
    set online(value: boolean) {
      online = value
    },
    get listening() {
      return [...listeners.values()].reduce((sum, set) => sum + set.size, 0)
    },
  }
}

/** A lock and a channel that the test controls. */
export function fakeCoordinator() {
  const listeners = new Set<(message: CoordinatorMessage) => void>()
  const announced: CoordinatorMessage[] = []
  const locked: string[] = []
  const fake = {
    announced,
    /** When the lock was entered and left, in order. */
    locked,
    exclusive: (async (name, task) => {
      locked.push(`enter ${name}`)
      try {
        return await task()
      } finally {
        locked.push(`leave ${name}`)
      }
    }) as Coordinator['exclusive'],
    receive(message: Partial<CoordinatorMessage> & Pick<CoordinatorMessage, 'type'>) {
      for (const listener of listeners) listener({ epoch: 0, generation: 0, ...message })
    },
    get listening() {
      return listeners.size
    },
    coordinator: {
      exclusive: (...parameters) => fake.exclusive(...parameters),
      announce: (message) => void announced.push(message),
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    } as Coordinator,
  }
  return fake
}

type Features = 'storage' | 'coordinator' | 'limits' | 'silentSignIn'

/** The options of `createAuth`. Ports may be given bare: the harness turns them into features. */
export interface HarnessOptions extends Partial<Omit<AuthOptions<string>, Features>> {
  readonly clock?: VirtualClock
  readonly storage?: SessionStorage | undefined
  readonly coordinator?: Coordinator
  readonly limits?: SessionLimitsOptions
  readonly silentSignIn?: boolean
  /** Start without tokens, unless the options contain `initialTokens`. */
  readonly signedOut?: boolean
}

/** A session on virtual time, whose token endpoint is the test. It starts signed in, with token set 1. */
export function createHarness({
  signedOut = false,
  storage,
  coordinator,
  limits,
  silentSignIn = false,
  ...options
}: HarnessOptions = {}) {
  const clock = options.clock ?? createVirtualClock()
  const outside = fakeEnvironment()
  const refresh = scripted<RefreshRequest>()
  const signIn = scripted<string>()
  const reported: unknown[] = []
  const auth = createAuthWith<string, Readonly<Record<string, unknown>>>(
    {
      refresh: refresh.run,
      signIn: signIn.run,
      ...(!signedOut && { initialTokens: tokens(1) }),
      ...options,
      ...(storage && { storage: defineStorage(storage) }),
      ...(coordinator && { coordinator: defineCoordinator(coordinator) }),
      ...(limits && { limits: sessionLimits(limits) }),
      ...(silentSignIn && { silentSignIn: fromCookie() }),
    },
    { clock, environment: outside.environment, report: (error) => void reported.push(error) },
  )
  const events: AuthEmitted[] = []
  auth.on('*', (event) => void events.push(event))
  onTestFinished(async () => {
    auth.dispose()
    // A refresh that was sent outlives its session until it is answered.
    for (const { reject } of refresh.calls) reject(new Error('The test is over'))
    await settled()
    // A leak is a defect in every test, so each test checks for leaks.
    if (!options.clock) expect(clock.pending, 'timers left after dispose()').toBe(0)
    expect(outside.listening, 'listeners left after dispose()').toBe(0)
  })
  return {
    auth,
    clock,
    outside,
    refresh,
    signIn,
    reported,
    events,
    /** The types of the events so far, without transitions. */
    emitted: () => events.map(({ type }) => type).filter((type) => type !== 'transition'),
    /** The last event of that type. */
    last: <T extends AuthEmitted['type']>(type: T) =>
      events.filter((event) => event.type === type).at(-1) as Extract<AuthEmitted, { type: T }> | undefined,
    /** Whether the chart is in that state, for example `refreshing.attempt.backingOff`. */
    at: (state: string) => matches(auth.actor.getSnapshot().value, state.split('.')),
  }
}

function matches(value: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true
  if (typeof value === 'string') return value === first && rest.length === 0
  return typeof value === 'object' && value !== null && first in value
    ? matches((value as Record<string, unknown>)[first], rest)
    : false
}

export type Harness = ReturnType<typeof createHarness>

/** Watches a promise: whether it is pending, and its value or error. */
export function watch<T>(promise: Promise<T>) {
  const watched: { state: 'pending' | 'fulfilled' | 'rejected'; value?: T; error?: any } = {
    state: 'pending',
  }
  promise.then(
    (value) => Object.assign(watched, { state: 'fulfilled', value }),
    (error) => Object.assign(watched, { state: 'rejected', error }),
  )
  return watched
}

/** An OAuth error, as a `refresh` function may throw it. */
export const refused = (error = 'invalid_grant', status = 400) => ({ error, status })
