import {
  type ActorLogic,
  type EventObject,
  getInitialSnapshot,
  type SnapshotFrom,
  type StateValue,
} from 'xstate'
import {
  type AuthMachine,
  type AuthPolicy,
  authMachine,
  type ChartContext,
  type ChartPorts,
  connectPorts,
  type RequestsPort,
  type SessionKey,
  type SessionPort,
} from '../../machines/index.ts'
import { SafeActor } from '../core/platform/safe-actor.ts'
import { systemClock } from '../environment/clock.ts'
import type { MirrorStep } from './protocol.ts'

/** The policy until the worker sends its own. */
const UNKNOWN_POLICY: AuthPolicy = {
  refreshOn: 'timer',
  attempts: 0,
  coolDown: 0,
  ambiguousRefresh: 'retry',
  silentSignIn: false,
  restores: true,
}

/** A mirror runs no actors and no actions, so its ports have only what the guards read. */
const PORTS: ChartPorts = {
  clock: systemClock,
  // Only the worker knows. With `true`, `can()` may allow a scheduled refresh that the worker would not start.
  requests: { usedSinceRefresh: true } as RequestsPort,
  session: {} as SessionPort,
}

type Snapshot = SnapshotFrom<AuthMachine>

interface MirroredStep {
  readonly snapshot: Snapshot
  readonly step: MirrorStep
}

export interface MirrorOptions {
  /** Receives the events that are sent to the actor. */
  readonly forward: (event: EventObject) => void
  /** Receives what a listener throws. */
  readonly report: (error: unknown) => void
}

/**
 * Mirrors the worker's actor on the page: the same snapshots and the same emitted events, in the same order. It takes no
 * transitions of its own and runs no effects. `snapshot.can()` evaluates the chart's guards on the page.
 */
export class MirrorActor extends SafeActor<AuthMachine> {
  readonly #session: SessionKey
  readonly #steps: WeakMap<EventObject, MirroredStep>

  constructor({ forward, report }: MirrorOptions) {
    const session = connectPorts(PORTS)
    const steps = new WeakMap<EventObject, MirroredStep>()
    super(createLogic(session, steps, forward) as unknown as AuthMachine, {}, report)
    this.#session = session
    this.#steps = steps
  }

  /** Returns to the state in which nothing is known of the session. */
  forget(): void {
    const { value, context } = initialSnapshot(this.#session)
    this.apply({ event: 'hello', value, context, endsAt: undefined, emitted: [], seen: 0 })
  }

  /**
   * Applies one step of the worker's actor.
   *
   * @throws if the worker runs a different version of the chart
   */
  apply(step: MirrorStep): void {
    const event = { type: step.event }
    const snapshot = snapshotOf(step.value, { ...step.context, session: this.#session })
    this.#steps.set(event, { step, snapshot })
    this.deliver(event as never)
  }
}

function createLogic(
  session: SessionKey,
  steps: WeakMap<EventObject, MirroredStep>,
  forward: (event: EventObject) => void,
): ActorLogic<Snapshot, EventObject> {
  const { value, context } = initialSnapshot(session)
  return {
    getInitialSnapshot: () => snapshotOf(value, context),
    getPersistedSnapshot: (snapshot) => authMachine.getPersistedSnapshot(snapshot),
    transition(snapshot, event, { defer, emit }) {
      const mirrored = steps.get(event)
      if (mirrored) {
        for (const emitted of mirrored.step.emitted) defer(() => emit(emitted))
        return mirrored.snapshot
      }
      if (event.type === 'xstate.stop') return { ...snapshot, status: 'stopped' } as Snapshot
      forward(event)
      return snapshot
    },
  }
}

const initialSnapshot = (session: SessionKey) =>
  getInitialSnapshot(authMachine, { policy: UNKNOWN_POLICY, session })

const snapshotOf = (value: unknown, context: ChartContext): Snapshot =>
  authMachine.resolveState({ value: value as StateValue, context })
