import type { AnyEventObject } from 'xstate'
import type { ModelState, Outcome } from './model-state.ts'
import type { ChartDeed } from './simulated-chart.ts'

/** A world in the middle of a step. */
export type Draft = { -readonly [Name in keyof ModelState]: ModelState[Name] } & {
  /** What happens next, in order: the microtasks of this world. */
  readonly jobs: (() => void)[]
  readonly counts: { held: number; released: number; replayed: number; rejected: number; told: boolean }
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

/** Writes down what the chart did to its timers and invocations. */
export function record(draft: Draft, deed: ChartDeed) {
  switch (deed.kind) {
    case 'arm': {
      const due = draft.uptime + Math.max(0, deed.delay)
      draft.timers = new Map(draft.timers).set(deed.id, { due, event: deed.event })
      return
    }
    case 'disarm':
      draft.timers = without(draft.timers, deed.id)
      return
    case 'invoke':
      draft.running = new Map(draft.running).set(deed.id, deed.src)
      return
    case 'leave':
      draft.running = without(draft.running, deed.id)
      draft.calls = draft.calls.map((call) =>
        call.waiter === deed.id ? { ...call, waiter: undefined } : call,
      )
      return
    case 'emit':
      draft.emitted = [...draft.emitted, deed.event]
  }
}

/** The same map, one entry less. */
export function without<Value>(map: ReadonlyMap<string, Value>, key: string): ReadonlyMap<string, Value> {
  const rest = new Map(map)
  rest.delete(key)
  return rest
}
