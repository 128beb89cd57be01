import type { Subscription } from 'xstate'
import { type AuthMachine, authMachine } from '../../machines/auth.machine.ts'
import type { AuthEmitted } from '../../machines/emitted.ts'
import { enteredStates } from '../../machines/state-path.ts'
import type { AuthInput } from '../../machines/vocabulary.ts'
import { BackgroundClock } from './platform/background-clock.ts'
import { type Emitted, SafeActor } from './platform/safe-actor.ts'
import type { Clock } from './ports.ts'

type Transition = Extract<AuthEmitted, { type: 'transition' }>

/** The running chart of one session. It emits a `transition` for each state that the chart comes to rest in. */
export class AuthActor extends SafeActor<AuthMachine> {
  readonly #clock: Clock
  readonly #listeners = new Set<(event: never) => void>()
  #states: readonly string[] = []

  constructor(input: AuthInput, clock: Clock, report: (error: unknown) => void) {
    super(authMachine, { input, clock: new BackgroundClock(clock) }, report)
    this.#clock = clock
    this.subscribe(() => this.#emitTransitions())
  }

  override on<Type extends AuthEmitted['type'] | '*'>(
    type: Type,
    handler: (emitted: Emitted<AuthMachine, Type>) => void,
  ): Subscription {
    const subscription = super.on(type, handler)
    // The same function may be given twice: those are two listeners.
    const listener = (event: never) => handler(event)
    if (type === '*' || type === 'transition') this.#listeners.add(listener)
    return {
      unsubscribe: () => {
        subscription.unsubscribe()
        this.#listeners.delete(listener)
      },
    }
  }

  #emitTransitions(): void {
    const before = this.#states
    const { value, context } = this.getSnapshot()
    this.#states = enteredStates(value)
    const { epoch, generation, reason } = context
    const [top = ''] = this.#states
    for (const to of this.#states) {
      if (before.includes(to)) continue
      const region = regionOf(to)
      // The first state in a region is entered from the state that the region belongs to.
      const from = before.find((state) => regionOf(state) === region) ?? (region && top)
      const at = this.#clock.now()
      const event: Transition = Object.freeze({
        type: 'transition',
        at,
        from,
        to,
        epoch,
        generation,
        ...(reason && { reason }),
      })
      for (const listener of this.#listeners) this.attempt(listener, event as never)
    }
  }
}

/** The path of the state or region that a state belongs to. */
const regionOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('.')))
