import type { AuthEmitted } from '../../machines/index.ts'
import { statePath } from '../../machines/state-path.ts'
import type { Fact, InspectedSnapshot } from './frames.ts'

/**
 * Formats the old and the new state. Within one parallel state, formats only the regions that changed:
 * `refreshing: attempt.requesting`.
 */
export function formatMove(before: unknown, after: unknown): readonly [from: string, to: string] {
  const [from, to] = [regionsIn(before), regionsIn(after)]
  if (!from || !to || from.top !== to.top) return [statePath(before), statePath(after)]
  const moved = Object.keys(to.regions).filter(
    (region) => statePath(from.regions[region]) !== statePath(to.regions[region]),
  )
  const named = ({ regions }: typeof from) => moved.map((region) => `${region}.${statePath(regions[region])}`)
  return [`${from.top}: ${named(from).join(', ')}`, named(to).join(', ')]
}

/** The regions of a parallel state; undefined for any other state. */
function regionsIn(value: unknown) {
  if (typeof value !== 'object' || value === null) return undefined
  const [[top, inner] = ['', ''], ...others] = Object.entries(value) as [string, unknown][]
  if (others.length > 0 || typeof inner !== 'object' || inner === null) return undefined
  return Object.keys(inner).length > 1 ? { top, regions: inner as Record<string, unknown> } : undefined
}

/** Shortens XState's names of events: `done refreshTokens`, `after untilRetry`. */
export function formatCause(type: string, sources: ReadonlyMap<string, string>): string {
  const [, kind = '', id = ''] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type) ?? []
  if (kind) return `${kind} ${sources.get(id) ?? 'actor'}`
  const [, delay = ''] = /^xstate\.after\.([^.]+)\./.exec(type) ?? []
  return delay ? `after ${delay}` : type
}

/** Formats an emitted event; undefined for a transition, which the line of the step shows already. */
export function formatEmitted(event: AuthEmitted): string | undefined {
  const because = event.reason ? ` (${event.reason})` : ''
  switch (event.type) {
    case 'transition':
      return undefined
    case 'refreshFailed': {
      const wait =
        event.retryAt === undefined ? '' : `, next attempt in ${Math.max(0, event.retryAt - event.at)} ms`
      const status = event.status === undefined ? '' : `, status ${event.status}`
      return `refreshFailed${because}: attempt ${event.attempt}${status}${event.fatal ? ', for good' : wait}`
    }
    case 'requestHeld':
    case 'requestReplayed':
    case 'requestRejected':
      return `${event.type}${because}: ${event.count}, ${event.held} waiting`
    case 'signedIn':
    case 'refreshed':
      return `${event.type}: token set ${event.generation} of sign-in ${event.epoch}`
    default:
      return `${event.type}${because}`
  }
}

/** Formats the changes of the context: `attempt 0 → 1`. */
export function formatChanges(before: InspectedSnapshot, after: InspectedSnapshot): string[] {
  const names = new Set([...Object.keys(before.context), ...Object.keys(after.context)])
  return [...names].flatMap((name) => {
    const [from, to] = [factText(before.context[name]), factText(after.context[name])]
    return from === to ? [] : [`${name} ${from} → ${to}`]
  })
}

function factText(fact: Fact | undefined): string {
  return fact === undefined ? 'none' : typeof fact === 'object' ? JSON.stringify(fact) : String(fact)
}
