import { type Actor, type AnyTransitionDefinition, createActor } from 'xstate'
import {
  type AuthEmitted,
  type AuthInput,
  type AuthMachine,
  type AuthPolicy,
  authMachine,
  type ChartPorts,
  connectPorts,
  type RefreshFailure,
  type TokenFacts,
} from '../../machines/index.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'

/** The time at which each world begins. */
export const START = 1_700_000_000_000
/** Milliseconds until the first token set expires. */
export const LIFETIME = 600_000
/** Milliseconds until its refresh is due. */
export const DUE = 540_000
/** Milliseconds until the attempt after a failure, unless the failure says otherwise. */
export const BACKOFF = 250
export const COOL_DOWN = 30_000

/** The token set that a world starts with. */
export const FACTS: TokenFacts = {
  epoch: 1,
  generation: 1,
  expiresAt: START + LIFETIME,
  refreshAt: START + DUE,
  refreshable: true,
}
/** The token set of a refresh. */
export const NEWER: TokenFacts = {
  ...FACTS,
  generation: 2,
  expiresAt: START + 2 * LIFETIME,
  refreshAt: START + LIFETIME + DUE,
}
/** A token set that has to be refreshed. */
export const EXPIRED: TokenFacts = { ...NEWER, expiresAt: START, refreshAt: START }

export const failure = (more: Partial<RefreshFailure> = {}): RefreshFailure => ({
  fatal: false,
  ambiguous: false,
  reason: 'network',
  retryAt: START + BACKOFF,
  notBefore: 0,
  ...more,
})

/** The ports that the chart waits for. */
export type Invoked = 'restore' | 'authenticate' | 'refresh' | 'revoke'

export interface WorldOptions {
  readonly policy?: Partial<AuthPolicy>
  readonly initial?: TokenFacts
  /** Whether a request used the current tokens. */
  readonly used?: boolean
  /** Changes the failure that leads to the state, if one does. */
  readonly failure?: Partial<RefreshFailure>
}

/** The chart alone: the test is its session and its requests, and records each call of them. */
export function chartWorld({ policy, initial, used = false }: WorldOptions = {}) {
  const clock = createVirtualClock(START)
  const calls: string[] = []
  const attempts: number[] = []
  const emitted: AuthEmitted[] = []
  const taken: AnyTransitionDefinition[] = []
  const invoked = new Map<Invoked, { resolve: (output: unknown) => void; reject: (error: unknown) => void }>()

  const invoke = (name: Invoked) =>
    new Promise<never>((resolve, reject) => {
      invoked.set(name, { resolve: resolve as (output: unknown) => void, reject })
    })
  const ports: ChartPorts = {
    clock,
    session: {
      restore: () => invoke('restore'),
      authenticate: () => invoke('authenticate'),
      refresh(attempt) {
        attempts.push(attempt)
        return invoke('refresh')
      },
      revoke: () => invoke('revoke'),
      expire: ({ reason }, { type }) =>
        void calls.push(`expire${type === 'session.expiredElsewhere' ? ' elsewhere' : ''}: ${reason}`),
      end: ({ type }) => void calls.push(type === 'session.endedElsewhere' ? 'end elsewhere' : 'end'),
      reload: () => void calls.push('reload'),
    },
    requests: {
      usedSinceRefresh: used,
      rejectHeld: () => void calls.push('rejectHeld'),
      rejectRefreshWaiters: () => void calls.push('rejectRefreshWaiters'),
    },
  }
  const input: AuthInput = {
    policy: {
      refreshOn: 'timer',
      attempts: 3,
      coolDown: COOL_DOWN,
      ambiguousRefresh: 'retry',
      silentSignIn: false,
      restores: false,
      ...policy,
    },
    session: connectPorts(ports),
    ...(initial && { initial }),
  }
  const actor: Actor<AuthMachine> = createActor(authMachine, {
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
    /** The calls of the ports that the chart does not wait for, in order. */
    calls,
    /** The attempt number of each call of `refresh`. */
    attempts,
    emitted,
    taken,
    get context() {
      return actor.getSnapshot().context
    },
    async resolve(name: Invoked, output?: unknown) {
      invoked.get(name)?.resolve(output)
      await clock.advance(0)
    },
    async reject(name: Invoked, error?: unknown) {
      invoked.get(name)?.reject(error)
      await clock.advance(0)
    },
    /** The state of the chart: `authenticated.lastToken`, or for `refreshing` its attempt and its gate. */
    get state(): string {
      return stateName(actor.getSnapshot().value)
    },
  }
}

export type World = ReturnType<typeof chartWorld>

/** `authenticated.lastToken`; for the parallel state, the names of its attempt and its gate: `refreshing.offline.closed`. */
function stateName(value: unknown): string {
  if (typeof value === 'string') return value
  const [[state, inner] = ['', '']] = Object.entries(value as Record<string, unknown>)
  if (state !== 'refreshing') return `${state}.${stateName(inner)}`
  const { attempt, gate } = inner as { attempt: string; gate: string }
  return `refreshing.${attempt}.${gate}`
}
