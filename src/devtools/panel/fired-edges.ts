import type { ChartLayout, LaidTransition } from '../chart/chart-layout.ts'
import type { Moment } from '../recording/moment.ts'

/** The arrows of a drawing that the chart went along when something happened. */
export function firedEdges(layout: ChartLayout, moments: readonly Moment[], index: number): string[] {
  const moment = moments[index]
  if (!moment) return []
  const taken = takenWith(moments, index)
  if (taken) return edgesWhere(layout, (one) => taken.some((other) => isSame(one, other)))
  const { from, to } = moment.facts
  if (moment.type !== 'transition' || typeof from !== 'string' || typeof to !== 'string') return []
  const known = edgesWhere(layout, ({ source, target }) => target === to && isAbout(source, from, to))
  // What may happen in any state is likely only where nothing else leads there.
  if (known.length > 0 || isWithin(to, from)) return known
  return edgesWhere(layout, ({ source, target }) => target === to && source === '')
}

/** What the session tells comes before the event that it is told for, which knows the transitions. */
function takenWith(moments: readonly Moment[], index: number) {
  const step = moments[index]?.step
  if (step === undefined) return undefined
  let at = index
  while (moments[at]?.step === step && moments[at]?.source === 'told') at++
  return moments[at]?.step === step ? moments[at]?.taken : undefined
}

const isSame = (one: LaidTransition, other: { source: string; target: string; event: string }) =>
  one.source === other.source && one.target === other.target && one.event === other.event

/**
 * A history names the state that was left, not the one around it, or within it, that the arrow begins at. Where a state is entered
 * with the one around it, that one is named, and no arrow between its inner states was taken.
 */
const isAbout = (source: string, from: string, to: string) =>
  source === from ||
  (source !== '' && !isWithin(to, from) && (isWithin(source, from) || isWithin(from, source)))

const isWithin = (path: string, around: string) => path.startsWith(`${around}.`)

const edgesWhere = ({ edges }: ChartLayout, fits: (transition: LaidTransition) => boolean) =>
  edges.filter(({ transitions }) => transitions.some(fits)).map(({ id }) => id)
