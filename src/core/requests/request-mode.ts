import type { ChartContext } from '../../../machines/vocabulary.ts'

/** What happens to a request that arrives. */
export type RequestMode = 'pass' | 'hold' | 'anonymous' | 'refuse'

/** The part of the chart's snapshot that requests depend on. */
export interface ChartView {
  readonly context: Pick<ChartContext, 'status' | 'generation' | 'reason'>
  hasTag(tag: RequestMode): boolean
}

/** The running chart. */
export interface Chart {
  getSnapshot(): ChartView
}

const NOTHING: ChartView = {
  context: { status: 'none', generation: -1, reason: undefined },
  hasTag: () => false,
}

/** Replaces the chart before the start and after `dispose`: every request is refused. */
export const NO_CHART: Chart = { getSnapshot: () => NOTHING }

/**
 * Reads the chart's tag. With `whenExpired: 'hold'`, requests wait for the next sign-in instead of being refused.
 *
 * @param hasTokens whether there are tokens: while they are being stored, the chart does not know of them, and requests wait
 */
export function requestMode(
  chart: ChartView,
  whenExpired: 'reject' | 'hold',
  hasTokens = false,
): RequestMode {
  if (chart.hasTag('pass')) return 'pass'
  if (chart.hasTag('hold') || (hasTokens && chart !== NOTHING)) return 'hold'
  if (chart.hasTag('anonymous')) return 'anonymous'
  return chart.context.status === 'expired' && whenExpired === 'hold' ? 'hold' : 'refuse'
}
