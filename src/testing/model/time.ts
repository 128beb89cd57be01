import type { AnyEventObject } from 'xstate'
import { settle, timeOut } from './calls.ts'
import { limitTimerEnded } from './limits.ts'
import type { Draft } from './model-state.ts'
import { rejectOverdue } from './requests.ts'

/** What happens at which uptime. */
const dues = (draft: Draft): (readonly [due: number, happen: () => void])[] => [
  ...draft.timers.map(({ id, due, event }) => {
    const happen = () => {
      dropTimer(draft, id)
      draft.send(event)
    }
    return [due, happen] as const
  }),
  ...draft.calls
    .filter(({ timedOut }) => !timedOut)
    .map((call) => [call.timeoutAt, () => timeOut(draft, call)] as const),
  ...draft.waiting.map(({ deadline }) => [deadline, () => rejectOverdue(draft)] as const),
  [draft.limitDue, () => limitTimerEnded(draft)],
]

/** Sets a timer of the chart. */
export function setTimer(draft: Draft, id: string, delay: number, event: AnyEventObject) {
  dropTimer(draft, id)
  draft.timers = [...draft.timers, { id, due: draft.uptime + Math.max(0, delay), event }]
}

/** Removes a timer of the chart. */
export function dropTimer(draft: Draft, id: string) {
  draft.timers = draft.timers.filter((timer) => timer.id !== id)
}

/** Lets time pass, in milliseconds. What is due happens in its order; with 0, only what happens at once. */
export function advance(draft: Draft, ms: number) {
  const end = draft.uptime + ms
  for (;;) {
    settle(draft)
    const [next] = dues(draft)
      .filter(([due]) => due <= end)
      .sort(([a], [b]) => a - b)
    const passed = Math.max(0, (next?.[0] ?? end) - draft.uptime)
    draft.uptime += passed
    draft.wall += passed
    draft.serverTime += passed
    if (!next) return
    next[1]()
  }
}

/** Moves both clocks on, as a sleeping machine does: no timer counts it. */
export function sleep(draft: Draft, ms: number) {
  draft.wall += ms
  draft.serverTime += ms
}
