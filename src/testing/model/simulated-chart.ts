import {
  type ActorScope,
  type AnyEventObject,
  type AnyTransitionDefinition,
  createActor,
  type ExecutableActionObject,
  type SnapshotFrom,
} from 'xstate'
import {
  type AuthContext,
  type AuthEmitted,
  type AuthInput,
  type AuthMachine,
  authMachine,
} from '../../../machines/index.ts'
import { pathOf } from './chart-parts.ts'

export type ChartSnapshot = SnapshotFrom<AuthMachine>

/** What the chart's guards and delays ask of the world. Times are milliseconds; a delay counts from now. */
export interface ChartQuestions {
  readonly guards: Readonly<
    Record<
      | 'tokenStillWorks'
      | 'renewalIsDue'
      | 'idleLimitReached'
      | 'lifetimeReached'
      | 'mayRetryNow'
      | 'renewsByItself'
      | 'foundWorkingToken',
      (context: AuthContext, event: AnyEventObject) => boolean
    >
  >
  readonly delays: Readonly<
    Record<
      'untilRenewal' | 'untilExpiry' | 'untilRetry' | 'untilCooledDown' | 'untilSessionLimit',
      (context: AuthContext) => number
    >
  >
}

/** Something the chart does in the course of a step. */
export type ChartDeed =
  | { readonly kind: 'action'; readonly name: string; readonly context: AuthContext }
  | { readonly kind: 'emit'; readonly event: AuthEmitted }
  | { readonly kind: 'arm'; readonly id: string; readonly delay: number; readonly event: AnyEventObject }
  | { readonly kind: 'disarm'; readonly id: string }
  | { readonly kind: 'invoke'; readonly id: string; readonly src: string }
  | { readonly kind: 'leave'; readonly id: string }

export interface ChartStep {
  readonly snapshot: ChartSnapshot
  readonly taken: readonly AnyTransitionDefinition[]
  /** Paths of the states it was in on the way, those it only passed through among them. */
  readonly visited: readonly string[]
}

/** The real chart, stepped without being run: nothing is invoked, no timer is armed, and every step can be taken back. */
export interface SimulatedChart {
  readonly machine: AuthMachine
  /** `act` hears what it does at once, as the chart's guards further on in the same step see the world after it. */
  start(input: AuthInput, act: (deed: ChartDeed) => void): ChartStep
  step(snapshot: ChartSnapshot, event: AnyEventObject, act: (deed: ChartDeed) => void): ChartStep
}

/** Builds a {@link SimulatedChart} whose guards and delays are answered by `questions`. */
export function simulateChart({ guards, delays }: ChartQuestions): SimulatedChart {
  type Arguments = { context: AuthContext; event: AnyEventObject }
  const ask = (name: keyof ChartQuestions['guards']) => (args: object) => {
    const { context, event } = args as Arguments
    return guards[name](context, event)
  }
  const wait = (name: keyof ChartQuestions['delays']) => (args: object) =>
    delays[name]((args as Arguments).context)

  const machine = authMachine.provide({
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
  }) as AuthMachine

  let act: (deed: ChartDeed) => void = () => {}
  let taken: AnyTransitionDefinition[] = []
  let visited = new Set<string>()
  const visit = ({ _nodes }: ChartSnapshot) => {
    for (const node of _nodes) visited.add(pathOf(node))
  }

  // XState's own pure `transition()` makes an actor for each call and does not say which transitions were taken.
  const policy: AuthInput['policy'] = {
    attempts: 1,
    ambiguousRefresh: 'retry',
    silentSignIn: false,
    restores: true,
  }
  const actor = createActor(machine, { input: { policy } })
  actor.system.inspect((frame) => {
    if (frame.type !== '@xstate.microstep') return
    taken.push(...frame._transitions)
    visit(frame.snapshot as ChartSnapshot)
  })
  const scope = {
    self: actor,
    system: actor.system,
    id: actor.id,
    sessionId: actor.sessionId,
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor(action: ExecutableActionObject) {
      const deed = deedOf(action)
      if (deed) act(deed)
    },
  } as unknown as ActorScope<ChartSnapshot, AnyEventObject>

  const recorded = (make: () => ChartSnapshot, listener: typeof act): ChartStep => {
    act = listener
    taken = []
    visited = new Set()
    const snapshot = make()
    if (snapshot.status === 'error') throw snapshot.error
    visit(snapshot)
    return { snapshot, taken, visited: [...visited] }
  }

  return {
    machine,
    start: (input, listener) =>
      recorded(() => machine.getInitialSnapshot(scope as never, input) as ChartSnapshot, listener),
    step: (snapshot, event, listener) =>
      recorded(() => machine.transition(snapshot, event as never, scope as never) as ChartSnapshot, listener),
  }
}

interface BuiltInParams {
  readonly id: string
  readonly src: string
  readonly delay?: number
  readonly event: AnyEventObject
  readonly sendId: string
  readonly actorRef?: { readonly id: string }
}

function deedOf({ type, params, info }: ExecutableActionObject): ChartDeed | undefined {
  const { id, src, delay, event, sendId, actorRef } = (params ?? {}) as unknown as BuiltInParams
  switch (type) {
    case 'xstate.emit':
      return { kind: 'emit', event: event as AuthEmitted }
    case 'xstate.raise':
      return delay === undefined ? undefined : { kind: 'arm', id, delay, event }
    case 'xstate.cancel':
      return { kind: 'disarm', id: sendId }
    case 'xstate.spawnChild':
      return { kind: 'invoke', id, src }
    case 'xstate.stopChild':
      return { kind: 'leave', id: actorRef?.id ?? id }
    default:
      return type.startsWith('xstate.')
        ? undefined
        : { kind: 'action', name: type, context: info.context as AuthContext }
  }
}
