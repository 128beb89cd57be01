import type { Actor, AnyActorRef, InspectionEvent, Observer, Subscription } from 'xstate'
import type { AuthEmitted, AuthMachine } from '../../machines/index.ts'

export interface ShieldOptions {
  /** Stamps what is emitted; left out where that is stamped already. */
  readonly now?: () => number
  /** Where what a listener throws is told. */
  readonly report: (error: unknown) => void
}

/**
 * Makes an actor safe to hand out. XState rethrows what a listener throws as an uncaught error, which ends a Node process,
 * and lets what an inspector throws break `send`; here it is reported, and nothing else happens. What the chart emits is
 * stamped on the way with what the chart cannot know: the time, and where a transition came from.
 */
export function shieldActor(actor: Actor<AuthMachine>, { now, report }: ShieldOptions): void {
  const { on, subscribe } = actor
  const stamp = now ? createStamp(now) : (emitted: AuthEmitted) => emitted

  const guarded =
    <A extends readonly unknown[]>(listener: (...args: A) => void) =>
    (...args: A) => {
      try {
        listener(...args)
      } catch (error) {
        report(error)
      }
    }

  actor.on = ((type: '*', handler: (emitted: AuthEmitted) => void) =>
    on.call(
      actor,
      type,
      guarded((emitted: AuthEmitted) => handler(stamp(emitted))),
    )) as typeof on

  actor.subscribe = ((
    observer: Observer<unknown> | ((value: unknown) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription => {
    const full = typeof observer === 'function' ? { next: observer, error, complete } : observer
    const safe: Observer<unknown> = {
      next: guarded((value: unknown) => full.next?.(value)),
      ...(full.error && { error: guarded(full.error.bind(full)) }),
      ...(full.complete && { complete: guarded(full.complete.bind(full)) }),
    }
    return (subscribe as (observer: Observer<unknown>) => Subscription).call(actor, safe)
  }) as typeof subscribe

  const system = actor.system as AnyActorRef['system']
  const { inspect } = system
  system.inspect = (observer) => {
    const next = typeof observer === 'function' ? observer : observer.next?.bind(observer)
    return inspect.call(system, { next: guarded((event: InspectionEvent) => next?.(event)) })
  }
}

/** One event, one stamp, however many listen; and nobody changes what the next one hears. */
function createStamp(now: () => number) {
  const stamped = new WeakMap<AuthEmitted, AuthEmitted>()
  /** The last place entered in each region, by the region's path. */
  const places = new Map<string, string>()

  return (emitted: AuthEmitted): AuthEmitted => {
    const known = stamped.get(emitted)
    if (known) return known
    const at = now()
    const event = Object.freeze(
      emitted.type === 'transition' ? { ...emitted, at, from: leave(emitted.to) } : { ...emitted, at },
    )
    stamped.set(emitted, event)
    return event
  }

  function leave(to: string): string {
    const region = to.slice(0, Math.max(0, to.lastIndexOf('.')))
    const from = places.get(region) ?? places.get('') ?? ''
    if (region === '') places.clear()
    places.set(region, to)
    return from
  }
}
