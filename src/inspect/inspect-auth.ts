import type { AnyActorRef, InspectionEvent } from 'xstate'
import type { Auth } from '../core/auth.ts'
import { isPromiseLike } from '../core/platform/promise-like.ts'
import { report } from '../environment/report.ts'
import { emittedFacts, eventFacts, snapshotFacts, wordOr } from './allow-list.ts'
import type { AuthObserver, InspectionFrame } from './frames.ts'

/** The members of a session that are inspected. Any session fits, with any credentials, also one in a worker. */
export type InspectableAuth = Pick<Auth, 'actor' | 'on'>

/** Options of `inspectAuth`. */
export interface InspectOptions {
  /** The name of this session, if there are several. Default: `'auth'`. */
  readonly name?: string
  /** Returns the time, in milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Notifies an observer of everything that a session does: the events that the chart receives, its state after each of them,
 * the actors that it starts, and the events that it emits. You can start and stop at any time, with any number of observers.
 * Frames contain no secrets.
 *
 * @param auth the session, also one that lives in a worker
 * @param observer `consoleObserver()`, `statelyObserver(inspector)`, `openTelemetryObserver(api)`, or a function of your own.
 * If it throws, or returns a promise that rejects, the error is reported and nothing else happens
 * @returns a function that stops the inspection; it may be called again. The end of the session stops it, too
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
  const known = new WeakSet<AnyActorRef>()
  let snapshot = snapshotFacts(actor.getSnapshot())
  let ended = false

  function notify(frame: InspectionFrame) {
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
    notify({ type: 'end', at: now() })
  }

  /** Introduces a child actor before the first frame about it. It may have started before the inspection. */
  function introduce(ref: AnyActorRef) {
    if (ref === actor || known.has(ref)) return
    known.add(ref)
    notify({ type: 'actor', at: now(), actor: ref.sessionId, id: ref.id, src: wordOr(ref.src, 'actor') })
  }

  function receive(frame: InspectionEvent) {
    const ref = frame.actorRef as AnyActorRef
    if (ended || (ref !== actor && ref._parent !== (actor as AnyActorRef))) return
    introduce(ref)
    if (frame.type === '@xstate.event') {
      const from = (frame.sourceRef as AnyActorRef | undefined)?.sessionId
      notify({
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
        notify({
          type: 'snapshot',
          at: now(),
          actor: ref.sessionId,
          event: eventFacts(frame.event),
          snapshot,
          before,
        })
      } else notify({ type: 'progress', at: now(), actor: ref.sessionId, status: frame.snapshot.status })
    }
  }

  const inspection = actor.system.inspect(receive)
  stops.push(() => inspection.unsubscribe())
  stops.push(auth.on('*', (event) => notify({ type: 'emitted', at: event.at, event: emittedFacts(event) })))
  notify({ type: 'begin', at: now(), name, actor: actor.sessionId, snapshot })
  for (const child of Object.values(actor.getSnapshot().children ?? {}))
    if (child) introduce(child as AnyActorRef)
  const subscription = actor.subscribe({ complete: end, error: end })
  stops.push(() => subscription.unsubscribe())
  // The session had ended before, or the observer ended it.
  if (ended) subscription.unsubscribe()
  else if (actor.getSnapshot().status !== 'active') end()
  return end
}
