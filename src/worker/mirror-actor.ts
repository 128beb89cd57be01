import { type Actor, type ActorLogic, createActor, type EventObject, type StateValue } from 'xstate'
import { type AuthContext, type AuthMachine, authMachine } from '../../machines/index.ts'
import { shieldActor } from '../core/actor-shield.ts'
import type { Step } from './protocol.ts'

/** Before the worker has said a word. */
const UNKNOWN: AuthContext = {
  policy: { attempts: 0, ambiguousRefresh: 'retry', silentSignIn: false, restores: true },
  epoch: 0,
  generation: 0,
  expiresAt: undefined,
  renewAt: undefined,
  renewable: true,
  standing: 'unknown',
  rejectedGeneration: -1,
  attempt: 0,
  retryAt: 0,
  notBefore: 0,
  uncertain: false,
  failure: undefined,
  reason: undefined,
  held: 0,
}

const isOver = (instant: number | undefined) => instant !== undefined && Date.now() >= instant

/** The chart, for `snapshot.can()`: what only the worker can tell is answered as far as its context goes. */
const machine: AuthMachine = authMachine.provide({
  guards: {
    tokenStillWorks: ({ context }) =>
      context.rejectedGeneration !== context.generation && !isOver(context.expiresAt),
    renewalIsDue: ({ context }) => isOver(context.renewAt),
    renewsByItself: () => true,
    idleLimitReached: () => false,
    lifetimeReached: () => false,
    mayRetryNow: ({ context }) => isOver(context.notBefore),
    foundWorkingToken: () => false,
  },
})

type Snapshot = ReturnType<AuthMachine['resolveState']>

const snapshotOf = (value: unknown, context: AuthContext): Snapshot =>
  machine.resolveState({ value: value as StateValue, context })

export interface MirrorOptions {
  /** Passes on what is sent to the actor. */
  readonly forward: (event: EventObject) => void
  /** Where what a listener throws is told. */
  readonly report: (error: unknown) => void
}

/**
 * An actor that shows on the page what the worker's does: the same snapshots, the same events emitted, in the same order.
 * It decides nothing and runs nothing.
 */
export function createMirror({ forward, report }: MirrorOptions) {
  const steps = new WeakMap<EventObject, { readonly snapshot: Snapshot; readonly step: Step }>()

  const logic: ActorLogic<Snapshot, EventObject> = {
    getInitialSnapshot: () => snapshotOf({ restoring: 'reading' }, UNKNOWN),
    getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot),
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

  const actor = createActor(logic) as unknown as Actor<AuthMachine>
  shieldActor(actor, { report })

  return {
    actor,

    /**
     * Takes a step of the worker's.
     *
     * @throws where the worker's chart is another one
     */
    apply(step: Step) {
      const event = { type: step.event }
      steps.set(event, { step, snapshot: snapshotOf(step.value, step.context) })
      actor.send(event as never)
    },
  }
}

export type Mirror = ReturnType<typeof createMirror>
