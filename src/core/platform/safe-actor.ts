import {
  Actor,
  type ActorOptions,
  type AnyActorLogic,
  type EmittedFrom,
  type EventFromLogic,
  type Observer,
  type Subscription,
} from 'xstate'

/** What a listener for `Type` receives. */
export type Emitted<Logic extends AnyActorLogic, Type> = EmittedFrom<Logic> &
  (Type extends '*' ? unknown : { type: Type })

/** The events that an app may send. */
const PUBLIC_EVENT = /^(session\.(signIn|signOut|refresh)|clock\.check|store\.changed|environment\.\w+)$/

type AnyObserver = Observer<never> | ((value: never) => void) | undefined

/**
 * An actor that apps may listen to. XState throws a listener's error again in a task of its own, which ends a Node process.
 * Here the error is reported, and no other listener is disturbed.
 */
export class SafeActor<Logic extends AnyActorLogic> extends Actor<Logic> {
  readonly #report: (error: unknown) => void

  constructor(logic: Logic, options: ActorOptions<Logic>, report: (error: unknown) => void) {
    super(logic, options)
    this.#report = report
    const { system } = this
    const { inspect } = system
    system.inspect = (observer) => inspect.call(system, this.#safe(observer as AnyObserver) as never)
  }

  /** Vue puts untagged objects behind a proxy, through which private fields cannot be read. */
  get [Symbol.toStringTag](): string {
    return 'Actor'
  }

  /**
   * Sends an event of the app. Only those reach the chart that make no statement about tokens or requests, so a foreign
   * event cannot end the actor, or the session.
   */
  override send(event: EventFromLogic<Logic>): void {
    try {
      const type = `${event.type}`
      if (PUBLIC_EVENT.test(type)) this.deliver({ type } as never)
    } catch {
      // It is no event, or its getter throws.
    }
  }

  /** Sends an event of the library. */
  deliver(event: EventFromLogic<Logic>): void {
    super.send(event)
  }

  override on<Type extends EmittedFrom<Logic>['type'] | '*'>(
    type: Type,
    handler: (emitted: Emitted<Logic, Type>) => void,
  ): Subscription {
    let isActive = true
    const subscription = super.on(type, (emitted) => {
      // A listener that was removed during an event does not receive it any more.
      if (isActive) this.attempt(handler, emitted as never)
    })
    return {
      unsubscribe() {
        isActive = false
        subscription.unsubscribe()
      },
    }
  }

  override subscribe(
    observer?: AnyObserver,
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription {
    return super.subscribe(this.#safe(observer, error, complete))
  }

  /** Calls a function of the app, and reports what it throws. */
  protected attempt(listener: (value: never) => void, value: never): void {
    try {
      listener(value)
    } catch (error) {
      this.#report(error)
    }
  }

  #safe(observer: AnyObserver, error?: (error: unknown) => void, complete?: () => void): Observer<never> {
    const given = typeof observer === 'object' ? observer : { next: observer, error, complete }
    const safe: Record<string, (value: never) => void> = {}
    for (const name of ['next', 'error', 'complete'] as const) {
      if (given[name]) safe[name] = (value) => this.attempt((each) => given[name]?.(each), value)
    }
    return safe as Observer<never>
  }
}
