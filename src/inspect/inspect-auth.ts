import type { AnyActorRef, InspectionEvent } from 'xstate'
import type { Auth } from '../core/auth.ts'
import { isPromiseLike } from '../core/promise-like.ts'
import { report } from '../environment/report.ts'
import { emittedFacts, eventFacts, snapshotFacts, wordOr } from './facts.ts'
import type { AuthObserver, InspectionFrame } from './frames.ts'

/** The part of an auth that is looked at, so that any will do, whatever its credentials and wherever its chart runs. */
export type InspectableAuth = Pick<Auth, 'actor' | 'on'>

/** Options of `inspectAuth`. */
export interface InspectOptions {
  /** Tells this session from others. Default: `'auth'`. */
  readonly name?: string
  /** Tells the time, in milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Shows a session to an observer: what the chart hears, where it stands after each event, what it starts and what it tells.
 * It may begin and end at any time, and there may be any number of observers. What they are shown holds no secret.
 *
 * @param auth the session, also one that lives in a worker
 * @param observer who looks: `consoleObserver()`, `statelyObserver(inspector)`, `openTelemetryObserver(api)`, or a function
 * of your own; where it throws, or gives a promise that rejects, that is reported and nothing else happens
 * @returns the way to stop; it may be called again. The end of the session stops it, too
 *
 * @example
 * ```ts
 * import { consoleObserver, inspectAuth } from 'authchart/inspect'
 *
 * const stop = inspectAuth(auth, consoleObserver())
 * ```
 */
export function inspectAuth(
  auth: InspectableAuth,
  observer: AuthObserver,
  { name = 'auth', now = Date.now }: InspectOptions = {},
): () => void {
  const { actor } = auth
  const stops: (() => void)[] = []
  const met = new WeakSet<AnyActorRef>()
  let snapshot = snapshotFacts(actor.getSnapshot())
  let ended = false

  function tell(frame: InspectionFrame) {
    try {
      const answer = observer(frame)
      if (isPromiseLike(answer)) answer.then(undefined, report)
    } catch (error) {
      report(error)
    }
  }

  function end() {
    if (ended) return
    ended = true
    for (const stop of stops) stop()
    tell({ type: 'end', at: now() })
  }

  /** Shows an actor that was there before anybody looked, or that has just come. */
  function meet(ref: AnyActorRef) {
    if (ref === actor || met.has(ref)) return
    met.add(ref)
    tell({ type: 'actor', at: now(), actor: ref.sessionId, id: ref.id, src: wordOr(ref.src, 'actor') })
  }

  function hear(frame: InspectionEvent) {
    const ref = frame.actorRef as AnyActorRef
    if (ended || (ref !== actor && ref._parent !== (actor as AnyActorRef))) return
    meet(ref)
    if (frame.type === '@xstate.event') {
      const from = (frame.sourceRef as AnyActorRef | undefined)?.sessionId
      tell({
        type: 'event',
        at: now(),
        ...(from !== undefined && { from }),
        to: ref.sessionId,
        event: eventFacts(frame.event),
      })
    } else if (frame.type === '@xstate.snapshot') {
      if (ref === actor) {
        const before = snapshot
        snapshot = snapshotFacts(actor.getSnapshot())
        tell({
          type: 'snapshot',
          at: now(),
          actor: ref.sessionId,
          event: eventFacts(frame.event),
          snapshot,
          before,
        })
      } else tell({ type: 'progress', at: now(), actor: ref.sessionId, status: frame.snapshot.status })
    }
  }

  const inspection = actor.system.inspect(hear)
  stops.push(() => inspection.unsubscribe())
  stops.push(auth.on('*', (event) => tell({ type: 'emitted', at: event.at, event: emittedFacts(event) })))
  tell({ type: 'begin', at: now(), name, actor: actor.sessionId, snapshot })
  for (const child of Object.values(actor.getSnapshot().children ?? {})) if (child) meet(child as AnyActorRef)
  const subscription = actor.subscribe({ complete: end, error: end })
  stops.push(() => subscription.unsubscribe())
  // It was over before anybody looked, or the observer ended it.
  if (ended) subscription.unsubscribe()
  else if (actor.getSnapshot().status !== 'active') end()
  return end
}
