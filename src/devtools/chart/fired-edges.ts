import type { Moment } from '../recording/moment.ts'
import type { ChartLayout, LaidTransition } from './chart-layout.ts'

/** The arrows of a drawing that the chart went along when something happened. */
export function firedEdges(layout: ChartLayout, moments: readonly Moment[], index: number): string[] {
  const moment = moments[index]
  if (!moment) return []
  const taken = takenWith(moments, index)
  if (taken) return edgesWhere(layout, (one) => taken.some((other) => isSame(one, other)))
  const { from, to } = moment.facts
  if (moment.type !== 'transition' || typeof from !== 'string' || typeof to !== 'string') return []
  return edgesWhere(layout, ({ source, target }) => target === to && isAbout(source, from))
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

/** A history names the state that was left, not the one around it, or within it, that the arrow begins at. */
const isAbout = (source: string, from: string) =>
  source === '' || source === from || source.startsWith(`${from}.`) || from.startsWith(`${source}.`)

const edgesWhere = ({ edges }: ChartLayout, fits: (transition: LaidTransition) => boolean) =>
  edges.filter(({ transitions }) => transitions.some(fits)).map(({ id }) => id)
