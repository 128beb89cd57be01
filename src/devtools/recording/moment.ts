import type { AuthEmitted } from '../../../machines/index.ts'
import type { Fact, InspectedContext } from '../../inspect/frames.ts'
import { entered } from './active-states.ts'
import type { Taken } from './taken.ts'

/** How the session stood; nothing in it is a secret. Instants are milliseconds since the Unix epoch. */
export interface SessionFacts {
  readonly epoch: number
  readonly generation: number
  readonly held: number
  readonly attempt?: number
  readonly reason?: string
  readonly expiresAt?: number
  readonly renewAt?: number
  readonly scope?: string
}

/** Something that happened, and how everything stood after it. */
export interface Moment {
  /** By the session's clock, in milliseconds since the Unix epoch. */
  readonly at: number
  /** By a clock that nobody sets: what else was seen at the same time carries the same. */
  readonly seenAt: number
  /** `told`: by `auth.on`; `chart`: an event that the chart has taken. */
  readonly source: 'told' | 'chart'
  readonly type: string
  /** What else is known of it. */
  readonly facts: Readonly<Record<string, Fact>>
  /** The paths of all states the chart is in. */
  readonly active: readonly string[]
  readonly session: SessionFacts
  /** Moments of one step of the chart carry the same number; those that a session remembers by itself carry none. */
  readonly step?: number
  /** The transitions of that step, with the event that led to it; absent where they are not known. */
  readonly taken?: readonly Taken[]
}

/** Kinds of moments, for filters and colours. */
export const CATEGORIES = ['states', 'tokens', 'requests', 'trouble', 'chart'] as const
export type Category = (typeof CATEGORIES)[number]

const OF_TYPE: Readonly<Record<string, Category>> = {
  transition: 'states',
  signedIn: 'tokens',
  refreshed: 'tokens',
  signedOut: 'tokens',
  requestHeld: 'requests',
  requestReplayed: 'requests',
}

/** Whatever the session tells that is none of the rest is trouble. */
export const categoryOf = ({ source, type }: Pick<Moment, 'source' | 'type'>): Category =>
  source === 'chart' ? 'chart' : (OF_TYPE[type] ?? 'trouble')

/** What is told of a moment, by what was known before it. */
export function momentOf(event: AuthEmitted, seenAt: number, before: Moment | undefined): Moment {
  const { type, at, ...facts } = event
  const { epoch, generation, held = before?.session.held ?? 0 } = facts as typeof facts & { held?: number }
  return {
    at,
    seenAt,
    source: 'told',
    type,
    facts,
    active: type === 'transition' ? entered(before?.active ?? [], event.to) : (before?.active ?? []),
    // What a former token set was good for says nothing of this one.
    session:
      before && before.session.epoch === epoch && before.session.generation === generation
        ? { ...before.session, held }
        : { epoch, generation, held },
  }
}

export function sessionFacts(context: InspectedContext, scope: string | undefined): SessionFacts {
  const { epoch = 0, generation = 0, held = 0, attempt, reason, expiresAt, renewAt } = context
  return {
    epoch,
    generation,
    held,
    ...(typeof attempt === 'number' && attempt > 0 && { attempt }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof expiresAt === 'number' && { expiresAt }),
    ...(typeof renewAt === 'number' && { renewAt }),
    ...(scope !== undefined && { scope }),
  }
}
