import type { ChartLayout, LaidTransition } from '../chart/chart-layout.ts'
import type { Moment } from '../recording/moment.ts'

/** Returns the ids of the arrows for the transitions that were taken at a moment. */
export function firedEdges(layout: ChartLayout, moments: readonly Moment[], index: number): string[] {
  const moment = moments[index]
  if (!moment) return []
  const transitions = transitionsOf(moments, index)
  if (transitions) return edgesWhere(layout, (one) => transitions.some((other) => isSame(one, other)))
  const { from, to } = moment.facts
  if (moment.type !== 'transition' || typeof from !== 'string' || typeof to !== 'string') return []
  const known = edgesWhere(layout, ({ source, target }) => target === to && fitsSource(source, from, to))
  // A transition of the root is likely only if no other transition leads to the target.
  if (known.length > 0 || isWithin(to, from)) return known
  return edgesWhere(layout, ({ source, target }) => target === to && source === '')
}

/** Finds the transitions of a step. Emitted events come before the chart event of their step, which holds the transitions. */
function transitionsOf(moments: readonly Moment[], index: number) {
  const step = moments[index]?.step
  if (step === undefined) return undefined
  let at = index
  while (moments[at]?.step === step && moments[at]?.source === 'emitted') at++
  return moments[at]?.step === step ? moments[at]?.transitions : undefined
}

const isSame = (one: LaidTransition, other: { source: string; target: string; event: string }) =>
  one.source === other.source && one.target === other.target && one.event === other.event

/**
 * Whether an arrow from `source` fits a history entry. The entry names the state that was exited. The arrow may begin at its
 * parent or at one of its children. If `to` lies within `from`, it was entered together with its parent, and only an exact
 * match counts.
 */
const fitsSource = (source: string, from: string, to: string) =>
  source === from ||
  (source !== '' && !isWithin(to, from) && (isWithin(source, from) || isWithin(from, source)))

const isWithin = (path: string, around: string) => path.startsWith(`${around}.`)

const edgesWhere = ({ edges }: ChartLayout, fits: (transition: LaidTransition) => boolean) =>
  edges.filter(({ transitions }) => transitions.some(fits)).map(({ id }) => id)
