import type { AnyTransitionDefinition } from 'xstate'
import type { Auth } from '../../core/auth.ts'

/** A transition that the chart took; paths of states, and the event as XState names it. */
export interface Taken {
  readonly source: string
  readonly target: string
  readonly event: string
}

/** Collects the transitions that a chart takes. A session in a worker does not tell of them here. */
export function collectTaken({ actor }: Pick<Auth, 'actor'>) {
  let taken: Taken[] = []
  const subscription = actor.system.inspect((frame) => {
    if (frame.type !== '@xstate.microstep' || frame.actorRef !== actor) return
    for (const { source, target, eventType } of transitionsIn(frame))
      for (const node of target ?? [])
        taken.push({ source: pathOf(source), target: pathOf(node), event: eventType })
  })
  return {
    /** Those since the last time. */
    take(): readonly Taken[] {
      const all = taken
      taken = []
      return all
    },
    stop: () => subscription.unsubscribe(),
  }
}

/** XState shows them to inspectors under a name that is not promised: where it is gone, nothing is known. */
const transitionsIn = (frame: object) =>
  (frame as { readonly _transitions?: readonly AnyTransitionDefinition[] })._transitions ?? []

const pathOf = ({ path }: { readonly path: readonly string[] }) => path.join('.')
