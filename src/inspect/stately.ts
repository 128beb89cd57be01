import { definition } from './definition.ts'
import type { AuthObserver, InspectedSnapshot } from './frames.ts'

/** The methods of an inspector of `@statelyai/inspect` that the observer calls. */
export interface StatelyInspector {
  /** Registers an actor, by a reference with its `sessionId`, and with its first snapshot. */
  actor(actorRef: object | string, snapshot?: object): void
  /** Shows an event that was sent to an actor, from `info.source` if an actor sent it. */
  event(target: object | string, event: object | string, info?: { source?: string }): void
  /** Shows the state of an actor after an event. */
  snapshot(actor: object | string, snapshot: object, info?: { event: { type: string } }): void
}

/** The members of an actor that an inspector reads. */
interface ActorLike {
  readonly sessionId: string
  readonly _parent?: ActorLike
  readonly logic?: { readonly config: object }
}

/**
 * Shows a session in Stately's inspector: the chart with its active states highlighted, and every event in a sequence diagram.
 *
 * `createBrowserInspector()` opens a window with stately.ai and posts the frames to it, or to the page at `url`.
 * `createWebSocketInspector({ url })` sends them to a server of yours. Without a window, as on a server,
 * `createBrowserInspector()` shows nothing.
 *
 * @param inspector from `@statelyai/inspect`: `createBrowserInspector`, `createWebSocketInspector`, or `createInspector`
 * with an adapter of your own. The observer does not stop it
 * @returns an observer for `inspectAuth`
 *
 * @example
 * ```ts
 * import { createBrowserInspector } from '@statelyai/inspect'
 * import { inspectAuth, statelyObserver } from 'authchart/inspect'
 *
 * const stop = inspectAuth(auth, statelyObserver(createBrowserInspector()))
 * ```
 */
export function statelyObserver(inspector: StatelyInspector): AuthObserver {
  const usable = typeof inspector.actor === 'function'
  let prefix = ''
  let chart: ActorLike | undefined
  let last: InspectedSnapshot | undefined
  const idOf = (actor: string) => `${prefix}${actor}`

  return (frame) => {
    if (!usable) return
    switch (frame.type) {
      case 'begin':
        // Ids of actors start at the same number in every chart, so they need the name of the session.
        prefix = `${frame.name} `
        last = frame.snapshot
        chart = { sessionId: idOf(frame.actor), logic: { config: definition } }
        return inspector.actor(chart, shown(frame.snapshot))
      case 'actor':
        return inspector.actor(
          {
            sessionId: idOf(frame.actor),
            logic: { config: { id: frame.src } },
            ...(chart && { _parent: chart }),
          },
          { status: 'active' },
        )
      case 'event':
        return inspector.event(
          idOf(frame.to),
          frame.event,
          frame.from === undefined ? {} : { source: idOf(frame.from) },
        )
      case 'snapshot':
        last = frame.snapshot
        return inspector.snapshot(idOf(frame.actor), shown(frame.snapshot), { event: frame.event })
      case 'progress':
        return inspector.snapshot(idOf(frame.actor), { status: frame.status })
      case 'end':
        if (chart && last) inspector.snapshot(chart.sessionId, { ...shown(last), status: 'stopped' })
        return
      default:
        return
    }
  }
}

/** Adds the members of XState snapshots that an inspector may read. */
function shown(snapshot: InspectedSnapshot): object {
  return { ...snapshot, children: {}, historyValue: {} }
}
