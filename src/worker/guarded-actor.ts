import type { Actor, AnyActorRef, InspectionEvent, Observer, Subscription } from 'xstate'
import type { AuthEmitted, AuthMachine } from '../../machines/index.ts'

/** Makes an actor safe to hand out: what its listeners throw is reported, and nothing else happens. */
export function guardActor(actor: Actor<AuthMachine>, report: (error: unknown) => void): void {
  const { on, subscribe } = actor

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
    on.call(actor, type, guarded(handler))) as typeof on

  actor.subscribe = ((
    observer: Observer<unknown> | ((value: unknown) => void),
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription => {
    const full = typeof observer === 'function' ? { next: observer, error, complete } : observer
    return (subscribe as (observer: Observer<unknown>) => Subscription).call(actor, {
      ...(full.next && { next: guarded(full.next.bind(full)) }),
      ...(full.error && { error: guarded(full.error.bind(full)) }),
      ...(full.complete && { complete: guarded(full.complete.bind(full)) }),
    })
  }) as typeof subscribe

  const system = actor.system as AnyActorRef['system']
  const { inspect } = system
  system.inspect = (observer) => {
    const next = typeof observer === 'function' ? observer : observer.next?.bind(observer)
    return inspect.call(system, { next: guarded((event: InspectionEvent) => next?.(event)) })
  }
}
