import { expect, onTestFinished } from 'vitest'
import type { AuthEmitted } from '../../machines/index.ts'
import { createAuthWith } from '../../src/core/create-auth.ts'
import type { AuthOptions, RefreshRequest } from '../../src/core/options.ts'
import type {
  Coordinator,
  CoordinatorMessage,
  Environment,
  EnvironmentSignal,
  TokenResponse,
} from '../../src/core/ports.ts'
import { createVirtualClock, settled, type VirtualClock } from '../../src/testing/virtual-clock.ts'

/** What every secret of these tests begins with, so that one search finds them all. */
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

/** One call of a scripted function, to be answered by the test. */
export interface Call<Argument> {
  readonly argument: Argument
  readonly resolve: (value: TokenResponse | PromiseLike<TokenResponse>) => void
  readonly reject: (error: unknown) => void
}

/** A function whose answers the test gives, call by call. */
export function scripted<Argument>() {
  const calls: Call<Argument>[] = []
  const run = (argument: Argument) =>
    new Promise<TokenResponse>((resolve, reject) => {
      calls.push({ argument, resolve, reject })
    })
  return {
    run,
    calls,
    /** The call at that place; the last one where none is named. */
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
    /** Whether the network is there, as only a look at it tells. */
    set online(value: boolean) {
      online = value
    },
    get listening() {
      return [...listeners.values()].reduce((sum, set) => sum + set.size, 0)
    },
  }
}

/** A lock and a channel that do as the test says. */
export function fakeCoordinator() {
  const listeners = new Set<(message: CoordinatorMessage) => void>()
  const announced: CoordinatorMessage[] = []
  const locked: string[] = []
  const fake = {
    announced,
    /** What happened around the lock, in order. */
    locked,
    exclusive: (async (name, task) => {
      locked.push(`enter ${name}`)
      try {
        return await task()
      } finally {
        locked.push(`leave ${name}`)
      }
    }) as Coordinator['exclusive'],
    hear(message: Partial<CoordinatorMessage> & Pick<CoordinatorMessage, 'type'>) {
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

export interface RigOptions extends Partial<AuthOptions<string>> {
  readonly clock?: VirtualClock
  /** Start without tokens, where the options say nothing of them. */
  readonly signedOut?: boolean
}

/** A session on virtual time, whose token endpoint is the test. It starts signed in, with the tokens number 1. */
export function rig({ signedOut = false, ...options }: RigOptions = {}) {
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
    },
    { clock, environment: outside.environment, report: (error) => void reported.push(error) },
  )
  const events: AuthEmitted[] = []
  auth.on('*', (event) => void events.push(event))
  onTestFinished(async () => {
    auth.dispose()
    await settled()
    // A leak is a defect in every test, not only in the one that looks for leaks.
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
    /** Names of the events so far, transitions left out. */
    told: () => events.map(({ type }) => type).filter((type) => type !== 'transition'),
    /** The last event of that name. */
    last: <T extends AuthEmitted['type']>(type: T) =>
      events.filter((event) => event.type === type).at(-1) as Extract<AuthEmitted, { type: T }> | undefined,
    /** The chart's whole state, such as `refreshing.exchange.backingOff`. */
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

export type Rig = ReturnType<typeof rig>

/** How a promise stands: what it gave, what it was rejected with, or that it still waits. */
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
