import type { AnyTransitionDefinition } from 'xstate'
import type { Auth } from '../../core/auth.ts'

/** A transition that the chart has taken: paths of states, and XState's name of the event. */
export interface TakenTransition {
  readonly source: string
  readonly target: string
  readonly event: string
}

/** Collects the transitions that a chart takes. The chart of a session in a worker does not report them to the page. */
export function collectTransitions({ actor }: Pick<Auth, 'actor'>) {
  let taken: TakenTransition[] = []
  const subscription = actor.system.inspect((frame) => {
    if (frame.type !== '@xstate.microstep' || frame.actorRef !== actor) return
    for (const { source, target, eventType } of transitionsIn(frame))
      for (const node of target ?? [])
        taken.push({ source: nodePath(source), target: nodePath(node), event: eventType })
  })
  return {
    /** Returns the transitions since the last call. */
    take(): readonly TakenTransition[] {
      const all = taken
      taken = []
      return all
    },
    stop: () => subscription.unsubscribe(),
  }
}

/** XState has no public field for them. If a later version drops this one, the list is empty. */
const transitionsIn = (frame: object) =>
  (frame as { readonly _transitions?: readonly AnyTransitionDefinition[] })._transitions ?? []

const nodePath = ({ path }: { readonly path: readonly string[] }) => path.join('.')
