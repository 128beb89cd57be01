import type { AnyEventObject } from 'xstate'
import { settle, timeOut } from './calls.ts'
import { followLimits } from './limits.ts'
import type { Draft, ModelState, Timer } from './model-state.ts'
import { rejectOverdue } from './requests.ts'

/** What happens at which uptime. The chart's timers have their own ids. */
export const duesOf = ({ timers, calls, waiting, limitDue }: ModelState) => [
  ...timers.map((timer) => ({ ...timer, happen: (draft: Draft) => endTimer(draft, timer) })),
  ...calls
    .filter(({ timedOut }) => !timedOut)
    .map((call) => ({ id: 'call', due: call.timeoutAt, happen: (draft: Draft) => timeOut(draft, call) })),
  ...waiting.map(({ deadline }) => ({ id: 'hold', due: deadline, happen: rejectOverdue })),
  { id: 'limit', due: limitDue, happen: followLimits },
]

function endTimer(draft: Draft, { id, event }: Timer) {
  dropTimer(draft, id)
  draft.send(event)
}

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
    const [next] = duesOf(draft)
      .filter(({ due }) => due <= end)
      .sort((a, b) => a.due - b.due)
    const passed = Math.max(0, (next?.due ?? end) - draft.uptime)
    draft.uptime += passed
    sleep(draft, passed)
    if (!next) return
    next.happen(draft)
  }
}

/** Moves both clocks on, as a sleeping machine does: no timer counts it. */
export function sleep(draft: Draft, ms: number) {
  draft.wall += ms
  draft.serverTime += ms
}
