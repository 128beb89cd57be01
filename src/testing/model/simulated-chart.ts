import {
  type AnyEventObject,
  type AnyTransitionDefinition,
  createActor,
  type ExecutableActionObject,
  type SnapshotFrom,
} from 'xstate'
import { type AuthInput, type AuthMachine, authMachine } from '../../../machines/index.ts'
import { type ChartPorts, connectPorts } from '../../../machines/ports.ts'
import { pathOf } from './chart-parts.ts'

export type ChartSnapshot = SnapshotFrom<AuthMachine>

export interface ChartStep {
  readonly snapshot: ChartSnapshot
  readonly taken: readonly AnyTransitionDefinition[]
  /** Paths of the states that the chart was in, including those it only passed through. */
  readonly visited: readonly string[]
}

/** Receives what the chart does, at once: guards later in the same step see the world after it. */
type Perform = (action: ExecutableActionObject) => void

/** What the chart's guards and delays ask. Its actions are performed by the caller of a step. */
type Questions = Pick<ChartPorts, 'clock'> & {
  readonly requests: Pick<ChartPorts['requests'], 'usedSinceRefresh'>
}

/** The real chart, stepped without being run: it invokes nothing, sets no timer, and a step can start from any snapshot. */
export function simulateChart(questions: Questions) {
  const session = connectPorts(questions as ChartPorts)
  let perform: Perform = () => {}
  let taken: AnyTransitionDefinition[] = []
  let visited = new Set<string>()
  const visit = ({ _nodes }: ChartSnapshot) => {
    for (const node of _nodes) visited.add(pathOf(node))
  }

  // XState's own pure `transition()` makes an actor for each call, and does not return which transitions were taken.
  const policy = { restores: true } as AuthInput['policy']
  const actor = createActor(authMachine, { input: { policy, session } })
  actor.system.inspect((frame) => {
    if (frame.type !== '@xstate.microstep') return
    taken.push(...frame._transitions)
    visit(frame.snapshot as ChartSnapshot)
  })
  const { system, id, sessionId } = actor
  const nothing = () => {}
  const unused = { logger: nothing, defer: nothing, emit: nothing, stopChild: nothing }
  const actionExecutor: Perform = (action) => perform(action)
  const scope = { self: actor, system, id, sessionId, actionExecutor, ...unused } as never

  function record(step: () => unknown, performer: Perform): ChartStep {
    perform = performer
    taken = []
    visited = new Set()
    const snapshot = step() as ChartSnapshot
    if (snapshot.status === 'error') throw snapshot.error
    visit(snapshot)
    return { snapshot, taken, visited: [...visited] }
  }

  return {
    start: (input: Omit<AuthInput, 'session'>, performer: Perform) =>
      record(() => authMachine.getInitialSnapshot(scope, { ...input, session }), performer),
    step: (from: ChartSnapshot, event: AnyEventObject, performer: Perform) =>
      record(() => authMachine.transition(from as never, event as never, scope), performer),
  }
}
