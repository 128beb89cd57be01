import type { AuthEmitted } from '../../machines/index.ts'
import type { Fact, InspectedSnapshot } from './frames.ts'

/** Where the chart is, in one line: `authenticated.renewable`, `refreshing: exchange.requesting, gate.open`. */
export function placeOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [[top, inner] = ['', ''], ...others] = Object.entries(value as object) as [string, unknown][]
  if (others.length > 0) return regionsOf(value)
  if (typeof inner === 'string') return `${top}.${inner}`
  return Object.keys(inner as object).length > 1 ? `${top}: ${regionsOf(inner)}` : `${top}.${placeOf(inner)}`
}

function regionsOf(value: unknown): string {
  return Object.entries(value as object)
    .map(([region, inner]) => `${region}.${placeOf(inner)}`)
    .join(', ')
}

/** From where to where; within one state, only the regions that moved: `refreshing: exchange.requesting`. */
export function moveOf(before: unknown, after: unknown): readonly [from: string, to: string] {
  const [from, to] = [regionsIn(before), regionsIn(after)]
  if (!from || !to || from.top !== to.top) return [placeOf(before), placeOf(after)]
  const moved = Object.keys(to.regions).filter(
    (region) => placeOf(from.regions[region]) !== placeOf(to.regions[region]),
  )
  const named = ({ regions }: typeof from) => moved.map((region) => `${region}.${placeOf(regions[region])}`)
  return [`${from.top}: ${named(from).join(', ')}`, named(to).join(', ')]
}

/** The regions of a state that has several, active all at once. */
function regionsIn(value: unknown) {
  if (typeof value !== 'object' || value === null) return undefined
  const [[top, inner] = ['', ''], ...others] = Object.entries(value) as [string, unknown][]
  if (others.length > 0 || typeof inner !== 'object' || inner === null) return undefined
  return Object.keys(inner).length > 1 ? { top, regions: inner as Record<string, unknown> } : undefined
}

/** An event as it is said: XState's names for ends and timers are long. */
export function causeOf(type: string, sources: ReadonlyMap<string, string>): string {
  const [, kind = '', id = ''] = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type) ?? []
  if (kind) return `${kind} ${sources.get(id) ?? 'actor'}`
  const [, delay = ''] = /^xstate\.after\.([^.]+)\./.exec(type) ?? []
  return delay ? `after ${delay}` : type
}

/** What the chart told, in words; undefined for what the line itself says. */
export function toldBy(event: AuthEmitted): string | undefined {
  const because = event.reason ? ` (${event.reason})` : ''
  switch (event.type) {
    case 'transition':
      return undefined
    case 'refreshFailed': {
      const wait =
        event.retryAt === undefined ? '' : `, next try in ${Math.max(0, event.retryAt - event.at)} ms`
      const status = event.status === undefined ? '' : `, status ${event.status}`
      return `refreshFailed${because}: try ${event.attempt}${status}${event.fatal ? ', for good' : wait}`
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

/** What changed of what the chart remembers: `attempt 0 → 1`. */
export function changesOf(before: InspectedSnapshot, after: InspectedSnapshot): string[] {
  const names = new Set([...Object.keys(before.context), ...Object.keys(after.context)])
  return [...names].flatMap((name) => {
    const [from, to] = [factText(before.context[name]), factText(after.context[name])]
    return from === to ? [] : [`${name} ${from} → ${to}`]
  })
}

function factText(fact: Fact | undefined): string {
  return fact === undefined ? 'none' : typeof fact === 'object' ? JSON.stringify(fact) : String(fact)
}
