import type { ChartLayout, LaidTransition } from './chart-layout.ts'

interface Step {
  readonly before: readonly string[]
  readonly entered: readonly string[]
  readonly event: string | undefined
}

/** The arrows of a drawing that a step of the chart went along. */
export function firedEdges({ edges }: ChartLayout, { before, entered, event }: Step): string[] {
  const leads = ({ source, target }: LaidTransition, from: readonly string[]) =>
    entered.includes(target) && (source === '' || from.includes(source))
  const along = (taken: (transition: LaidTransition) => boolean) =>
    edges.flatMap(({ id, transitions }) =>
      transitions.filter(taken).map(({ target }) => ({ id, depth: target.length })),
    )

  if (event === undefined) return unique(along((transition) => leads(transition, before)))
  const caused = along((transition) => transition.event === event && leads(transition, before))
  // Whoever names an inner state enters those around it as well: the innermost target is the one that was named.
  const depth = Math.max(...caused.map((one) => one.depth))
  const followed = along(
    (transition) => transition.event === '' && leads(transition, [...before, ...entered]),
  )
  return unique([...caused.filter((one) => one.depth === depth), ...followed])
}

const unique = (found: readonly { readonly id: string }[]) => [...new Set(found.map(({ id }) => id))]
