import { isIdle, isReached } from '../../../machines/policies.ts'
import type { Draft, ModelState } from './model-state.ts'

const NEVER = Number.POSITIVE_INFINITY

/** The limits of the session: how long it may go unused, and how long it may last. */

const endOf = ({ tokens, settings }: ModelState) => (tokens?.startedAt ?? NEVER) + settings.limits.absolute

/** The limit that the session has reached, if there is a session. */
export function limitReached(draft: Draft): 'idle' | 'lifetime' | undefined {
  const { tokens, usedAt, wall, settings } = draft
  if (!tokens) return undefined
  if (isIdle(usedAt, settings.limits.idle, wall)) return 'idle'
  return isReached(endOf(draft), wall) ? 'lifetime' : undefined
}

/** Records a use of the session. Returns false if a limit was reached before. */
export function use(draft: Draft): boolean {
  if (limitReached(draft)) return false
  draft.usedAt = draft.wall
  return true
}

export function checkLimits(draft: Draft) {
  const reason = limitReached(draft)
  if (reason && draft.chart.hasTag('session')) draft.send({ type: 'session.limitReached', reason })
}

/** After each step of the chart, and when the timer of the limits has ended. Uses since it was set only make it early. */
export function followLimits(draft: Draft) {
  checkLimits(draft)
  const { tokens, usedAt, wall, uptime, limitDue, settings } = draft
  const isSet = limitDue > uptime && limitDue < NEVER
  const delay = Math.max(1, Math.min(usedAt + settings.limits.idle, endOf(draft)) - wall)
  if (!tokens || !isSet) draft.limitDue = tokens ? uptime + delay : NEVER
}
