import { type Actor, type AnyTransitionDefinition, createActor, fromPromise } from 'xstate'
import {
  type AuthEmitted,
  type AuthInput,
  type AuthMachine,
  type AuthPolicy,
  authMachine,
  type ExchangeFailure,
  type TokenFacts,
} from '../../machines/index.ts'
import { placeOf } from '../../src/testing/model/model-state.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'

/** The guards that ask the world, which here is the test. */
export type WorldGuard =
  | 'tokenStillWorks'
  | 'renewalIsDue'
  | 'idleLimitReached'
  | 'lifetimeReached'
  | 'mayRetryNow'
  | 'renewsByItself'
  | 'foundWorkingToken'

export type Invoked = 'readSession' | 'authenticate' | 'exchangeTokens' | 'revokeTokens'

export type Delay = 'untilRenewal' | 'untilExpiry' | 'untilRetry' | 'untilCooledDown' | 'untilSessionLimit'

export const FACTS: TokenFacts = {
  epoch: 1,
  generation: 1,
  expiresAt: undefined,
  renewAt: undefined,
  renewable: true,
}
export const NEWER: TokenFacts = { ...FACTS, generation: 2 }

export const failure = (more: Partial<ExchangeFailure> = {}): ExchangeFailure => ({
  fatal: false,
  uncertain: false,
  reason: 'network',
  retryAt: 0,
  notBefore: 0,
  ...more,
})

export interface WorldOptions {
  readonly policy?: Partial<AuthPolicy>
  readonly initial?: TokenFacts
  /** Guards that say yes from the start. */
  readonly yes?: readonly WorldGuard[]
  /** A delay that runs out with the next millisecond; the others never do. */
  readonly soon?: Delay | undefined
}

const PLACEHOLDERS = [
  'letRequestsPass',
  'holdRequests',
  'refuseRequests',
  'sendWithoutToken',
  'rejectHeldRequests',
  'rejectRenewals',
  'eraseTokens',
  'dismissSession',
  'syncWithStore',
  'lookForUse',
] as const

/** The chart by itself: every placeholder is filled by the test, and whatever it does is written down. */
export function chartWorld({ policy, initial, yes = [], soon }: WorldOptions = {}) {
  const clock = createVirtualClock()
  const says = new Set<WorldGuard>(yes)
  const done: string[] = []
  const emitted: AuthEmitted[] = []
  const taken: AnyTransitionDefinition[] = []
  const invoked = new Map<Invoked, { resolve: (output: unknown) => void; reject: (error: unknown) => void }>()

  const invoke = (name: Invoked) => () =>
    new Promise<never>((resolve, reject) => {
      invoked.set(name, { resolve: resolve as (output: unknown) => void, reject })
    })
  const ask = (name: WorldGuard) => () => says.has(name)
  const wait = (name: Delay) => () => (name === soon ? 1 : Number.POSITIVE_INFINITY)

  const machine = authMachine.provide({
    actors: {
      readSession: fromPromise<TokenFacts | undefined>(invoke('readSession')),
      authenticate: fromPromise<TokenFacts>(invoke('authenticate')),
      exchangeTokens: fromPromise<TokenFacts, { attempt: number }>(invoke('exchangeTokens')),
      revokeTokens: fromPromise<void>(invoke('revokeTokens')),
    },
    actions: Object.fromEntries(PLACEHOLDERS.map((name) => [name, () => void done.push(name)])),
    guards: {
      tokenStillWorks: ask('tokenStillWorks'),
      renewalIsDue: ask('renewalIsDue'),
      idleLimitReached: ask('idleLimitReached'),
      lifetimeReached: ask('lifetimeReached'),
      mayRetryNow: ask('mayRetryNow'),
      renewsByItself: ask('renewsByItself'),
      foundWorkingToken: ask('foundWorkingToken'),
    },
    delays: {
      untilRenewal: wait('untilRenewal'),
      untilExpiry: wait('untilExpiry'),
      untilRetry: wait('untilRetry'),
      untilCooledDown: wait('untilCooledDown'),
      untilSessionLimit: wait('untilSessionLimit'),
    },
  })
  const input: AuthInput = {
    policy: { attempts: 3, ambiguousRefresh: 'retry', silentSignIn: false, restores: false, ...policy },
    ...(initial && { initial }),
  }
  const actor: Actor<AuthMachine> = createActor(machine, {
    input,
    clock,
    inspect: (frame) => {
      if (frame.type === '@xstate.microstep') taken.push(...frame._transitions)
    },
  })
  actor.on('*', (event) => void emitted.push(event))
  actor.start()

  return {
    actor,
    clock,
    done,
    emitted,
    taken,
    get context() {
      return actor.getSnapshot().context
    },
    say(guard: WorldGuard, value = true) {
      if (value) says.add(guard)
      else says.delete(guard)
    },
    async give(name: Invoked, output?: unknown) {
      invoked.get(name)?.resolve(output)
      await clock.advance(0)
    },
    async fail(name: Invoked, error?: unknown) {
      invoked.get(name)?.reject(error)
      await clock.advance(0)
    },
    /** Where the chart is: `authenticated.terminal`, or for `refreshing` its exchange and its gate. */
    get place(): string {
      return placeOf(actor.getSnapshot().value)
    },
  }
}

export type World = ReturnType<typeof chartWorld>
