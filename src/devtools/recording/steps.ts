import type { Moment } from './moment.ts'

/** What one event of the chart led to. */
export interface Step {
  /** The states it was in before. */
  readonly before: readonly string[]
  /** The states it entered. */
  readonly entered: readonly string[]
  /** The event; `undefined`: not known, as in a history, which says what followed from it only. */
  readonly event: string | undefined
}

/** The step that a moment belongs to: what the session tells comes before the event that it is told for. */
export function stepAt(moments: readonly Moment[], index: number): Step {
  let first = index
  while (first > 0 && moments[first - 1]?.source === 'told') first--
  let last = index
  while (last < moments.length - 1 && moments[last]?.source === 'told') last++
  const entered: string[] = []
  for (let at = first; at <= last; at++) {
    const moment = moments[at]
    if (moment?.type === 'transition' && typeof moment.facts.to === 'string') entered.push(moment.facts.to)
  }
  const end = moments[last]
  return {
    before: moments[first - 1]?.active ?? [],
    entered,
    event: end?.source === 'chart' ? end.type : undefined,
  }
}
