import type { AnyEventObject } from 'xstate'
import type { ModelState, Outcome } from './model-state.ts'
import type { ChartStep } from './simulated-chart.ts'

/** A world in the middle of a step. */
export type Draft = { -readonly [Name in keyof ModelState]: ModelState[Name] } & {
  /** What happens next, in order: the microtasks of this world. */
  readonly jobs: (() => void)[]
  readonly counts: { held: number; replayed: number; rejected: number; told: boolean }
  /** Tells the chart. What it does at once is done when this returns; the rest is a job. */
  send(event: AnyEventObject): void
  /** Lets time pass, in milliseconds: timers, timeouts and deadlines come in the order they are due. */
  advance(ms: number): void
  /** The token endpoint comes to the requests that it kept waiting, in their order. */
  answerCalls(): void
}

export function tell(draft: Draft, outcome: Outcome) {
  draft.outcomes = [...draft.outcomes, outcome]
}

/** Writes down what one step of the chart did to timers and invocations; hands its actions on. */
export function record(
  draft: Draft,
  { snapshot, deeds, taken, visited }: ChartStep,
  act: (action: string) => void,
) {
  const timers = new Map(draft.timers)
  const running = new Map(draft.running)
  draft.chart = snapshot
  draft.taken = [...draft.taken, ...taken]
  draft.visited = [...draft.visited, ...visited]
  for (const deed of deeds) {
    if (deed.kind === 'arm')
      timers.set(deed.id, { due: draft.uptime + Math.max(0, deed.delay), event: deed.event })
    else if (deed.kind === 'disarm') timers.delete(deed.id)
    else if (deed.kind === 'invoke') running.set(deed.id, deed.src)
    else if (deed.kind === 'leave') {
      running.delete(deed.id)
      draft.calls = draft.calls.map((call) =>
        call.waiter === deed.id ? { ...call, waiter: undefined } : call,
      )
    } else if (deed.kind === 'emit') draft.emitted = [...draft.emitted, deed.event]
  }
  draft.timers = timers
  draft.running = running
  for (const deed of deeds) if (deed.kind === 'action') act(deed.name)
}
