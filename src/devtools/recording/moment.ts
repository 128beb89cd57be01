import type { AuthEmitted } from '../../../machines/index.ts'
import type { Fact, InspectedContext } from '../../inspect/frames.ts'
import { entered } from './active-states.ts'
import type { TakenTransition } from './transitions.ts'

/** Facts of the session at a moment; none is secret. Times are in milliseconds since the Unix epoch. */
export interface SessionFacts {
  readonly epoch: number
  readonly generation: number
  readonly held: number
  readonly attempt?: number
  readonly reason?: string
  readonly expiresAt?: number
  readonly refreshAt?: number
  readonly scope?: string
}

/** An event, and the state of the session after it. */
export interface Moment {
  /** By the clock of the session, in milliseconds since the Unix epoch. */
  readonly at: number
  /** By the monotonic clock, like the times of lanes. The same as `at` for moments from a history. */
  readonly seenAt: number
  /** `emitted`: by `auth.on`; `chart`: an event that the chart has processed. */
  readonly source: 'emitted' | 'chart'
  readonly type: string
  /** The other fields of the event. */
  readonly facts: Readonly<Record<string, Fact>>
  /** The paths of all active states. */
  readonly active: readonly string[]
  readonly session: SessionFacts
  /** The number of the step of the chart. Moments of one step share it; moments from `auth.history` have none. */
  readonly step?: number
  /** The transitions of the step, on the moment of its chart event; absent if they are unknown. */
  readonly transitions?: readonly TakenTransition[]
}

/** Categories of moments, for filters and colours. */
export const CATEGORIES = ['states', 'tokens', 'requests', 'trouble', 'chart'] as const
export type Category = (typeof CATEGORIES)[number]

const OF_TYPE: Readonly<Record<string, Category>> = {
  transition: 'states',
  signedIn: 'tokens',
  refreshed: 'tokens',
  signedOut: 'tokens',
  requestHeld: 'requests',
  requestReplayed: 'requests',
  withoutToken: 'requests',
}

/** Returns the category of a moment. Emitted events without a category are `trouble`. */
export const categoryOf = ({ source, type }: Pick<Moment, 'source' | 'type'>): Category =>
  source === 'chart' ? 'chart' : (OF_TYPE[type] ?? 'trouble')

/** Creates the moment of an emitted event, based on the moment before it. */
export function momentOf(event: AuthEmitted, seenAt: number, before: Moment | undefined): Moment {
  const { type, at, ...facts } = event
  const { epoch, generation, held = before?.session.held ?? 0 } = facts as typeof facts & { held?: number }
  return {
    at,
    seenAt,
    source: 'emitted',
    type,
    facts,
    active: type === 'transition' ? entered(before?.active ?? [], event.to) : (before?.active ?? []),
    // Facts of an earlier token set do not apply to a new one.
    session:
      before && before.session.epoch === epoch && before.session.generation === generation
        ? { ...before.session, held }
        : { epoch, generation, held },
  }
}

export function sessionFacts(context: InspectedContext, scope: string | undefined): SessionFacts {
  const { epoch = 0, generation = 0, held = 0, attempt, reason, expiresAt, refreshAt } = context
  return {
    epoch,
    generation,
    held,
    ...(typeof attempt === 'number' && attempt > 0 && { attempt }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(typeof refreshAt === 'number' && { refreshAt }),
    ...(scope !== undefined && { scope }),
  }
}
