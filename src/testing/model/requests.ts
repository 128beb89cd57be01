import { isReached, mayServe, requestOwner, UNOWNED } from '../../../machines/policies.ts'
import { apiAccepts } from './auth-server.ts'
import { checkLimits, limitReached, use } from './limits.ts'
import {
  countHeld,
  type Draft,
  isDoubted,
  type ModelCredential,
  type ModelState,
  modeOf,
  type Outcome,
  type Waiting,
} from './model-state.ts'

/** What happens to requests, and to calls that wait for a newer token. */

export const credentialOf = (state: ModelState): ModelCredential => {
  const { tokens, epoch, generation } = state
  return { tokens: modeOf(state) === 'anonymous' ? undefined : tokens, epoch, generation }
}

function report(draft: Draft, outcome: Outcome) {
  draft.outcomes = [...draft.outcomes, outcome]
}

/** The chart is notified later. At most one request waits, so a burst has one of each kind. */
const notify = (draft: Draft, what: 'held' | 'released' | 'replayed' | 'rejected') =>
  draft.jobs.push(() =>
    draft.send({ type: `request.${what}`, count: 1, held: countHeld(draft), reason: 'any' }),
  )

/** Why requests are refused after the session ended. */
const refusal = ({ chart }: Draft) => (chart.context.status === 'expired' ? 'session_expired' : 'signed_out')

/** When a request must make the chart look at the clock before it is sent. */
export const nextCheckAt = ({ checkedGeneration, generation, tokens }: ModelState): number =>
  (checkedGeneration === generation ? tokens?.expiresAt : tokens?.refreshAt) ?? Number.NEGATIVE_INFINITY

/** What a request that arrives now is sent with; `'held'`: it has to wait. */
function authorize(draft: Draft): ModelCredential | 'held' | Outcome {
  const mode = modeOf(draft)
  if (mode === 'refuse') return `request: ${refusal(draft)}`
  if (mode === 'anonymous') return credentialOf(draft)
  if (mode === 'hold') {
    if (use(draft)) return 'held'
    checkLimits(draft)
    return modeOf(draft) === 'hold' ? 'held' : authorize(draft)
  }
  draft.usedGeneration = draft.generation
  if (draft.wall < nextCheckAt(draft) && use(draft)) return credentialOf(draft)
  checkLimits(draft)
  draft.send({ type: 'clock.check' })
  if (modeOf(draft) !== 'pass') return authorize(draft)
  if (draft.wall >= nextCheckAt(draft)) draft.checkedGeneration = draft.generation
  if (!use(draft) || isReached(draft.tokens?.expiresAt, draft.wall)) return 'held'
  return credentialOf(draft)
}

function wait(draft: Draft, kind: Waiting['kind'], owner: number) {
  const deadline = draft.uptime + draft.settings.timeouts.hold
  draft.waiting = [...draft.waiting, { kind, owner, deadline }]
}

/** A request is sent at once, with the current token. */
export function useToken(draft: Draft) {
  use(draft)
  draft.usedGeneration = draft.generation
}

export const request = (draft: Draft) => proceed(draft, 'request', authorize(draft))

function proceed(draft: Draft, kind: 'request' | 'replay', next: ReturnType<typeof authorize>) {
  if (next === 'held') {
    const { tokens, epoch, predecessor, wall } = draft
    draft.usedAt = wall
    wait(draft, kind, requestOwner(epoch, tokens !== undefined, predecessor))
    notify(draft, 'held')
  } else if (typeof next === 'string') report(draft, next)
  else if (!next.tokens) report(draft, 'request: unauthorized')
  else if (kind === 'request') deliver(draft, next)
  else replay(draft, next, false)
}

function deliver(draft: Draft, credential: ModelCredential) {
  if (!apiAccepts(draft, credential)) return receive401(draft, credential)
  report(draft, 'request: answered')
}

const maySend = ({ epoch, tokens, predecessor }: Draft, owner: number) =>
  mayServe(owner, epoch, tokens, predecessor, false)

/** The API answered 401 to that credential. */
export function receive401(draft: Draft, refused: ModelCredential) {
  const isCurrent = () => refused.generation === draft.generation
  const wouldRefresh = isCurrent() && modeOf(draft) === 'pass'
  if (!refused.tokens || !maySend(draft, refused.epoch) || (wouldRefresh && isDoubted(draft)))
    return report(draft, 'request: unauthorized')
  reportUnauthorized(draft, refused)
  proceed(draft, 'replay', modeOf(draft) === 'pass' && isCurrent() ? 'held' : authorize(draft))
}

function reportUnauthorized(draft: Draft, { generation }: ModelCredential) {
  if (modeOf(draft) === 'pass' && generation === draft.generation)
    draft.send({ type: 'request.unauthorized', generation })
}

function replay(draft: Draft, credential: ModelCredential, waited: boolean) {
  notify(draft, 'replayed')
  if (apiAccepts(draft, credential)) return report(draft, 'request: answered')
  const isCurrent = credential.generation === draft.generation
  // A token that was waited for is fresh, so another refresh would not help. A refresh without a replay shows nothing.
  const isRefusal = waited ? isCurrent : isCurrent && modeOf(draft) === 'pass' && !isDoubted(draft)
  if (!waited && isRefusal) reportUnauthorized(draft, credential)
  if (isRefusal) draft.refusing = { epoch: draft.epoch, at: draft.wall }
  report(draft, 'request: unauthorized')
}

function reject(draft: Draft, why: string, isRejected: (waiting: Waiting) => boolean) {
  const rejected = draft.waiting.filter(isRejected)
  draft.waiting = draft.waiting.filter((one) => !rejected.includes(one))
  for (const { kind } of rejected) {
    report(draft, `${kind === 'refresh' ? 'refresh' : 'request'}: ${why}`)
    if (kind !== 'refresh') notify(draft, 'rejected')
  }
}

/** Rejects everything that waits. */
export const rejectHeld = (draft: Draft, why: string) => reject(draft, why, () => true)

/** Rejects calls that wait for a token newer than generation `least`, or than a later one. */
export const rejectRefreshWaiters = (draft: Draft, why: string, least = 0) =>
  reject(draft, why, ({ kind, owner }) => kind === 'refresh' && owner >= least)

/** Rejects what has waited for too long. */
export const rejectOverdue = (draft: Draft) =>
  reject(draft, 'hold_timeout', ({ deadline }) => deadline <= draft.uptime)

/** Releases or rejects what waits, when the chart has come to rest. */
export function flush(draft: Draft) {
  if (draft.waiting.length === 0) return
  const mode = modeOf(draft)
  if (mode === 'refuse') rejectHeld(draft, refusal(draft))
  else if (mode === 'hold') {
    if (draft.chart.context.status === 'expired') rejectRefreshWaiters(draft, refusal(draft))
  } else if (mode === 'pass' && isReached(draft.tokens?.expiresAt, draft.wall)) {
    draft.send({ type: 'clock.check' })
  } else if (!limitReached(draft)) {
    if (mode === 'anonymous') rejectRefreshWaiters(draft, 'signed_out')
    const mayGo = ({ kind, owner }: Waiting) =>
      kind === 'refresh'
        ? owner < draft.generation
        : mode === 'pass'
          ? maySend(draft, owner)
          : owner === UNOWNED
    const released = draft.waiting.filter(mayGo)
    reject(draft, 'signed_out', (one) => one.kind !== 'refresh' && !mayGo(one))
    draft.waiting = draft.waiting.filter((one) => !released.includes(one))
    for (const { kind } of released) release(draft, kind)
  }
}

function release(draft: Draft, kind: Waiting['kind']) {
  if (kind === 'refresh') return report(draft, 'refresh: renewed')
  const credential = credentialOf(draft)
  notify(draft, 'released')
  draft.jobs.push(() => (kind === 'replay' ? replay(draft, credential, true) : deliver(draft, credential)))
}

/** The app calls `auth.refresh()`. */
export function refresh(draft: Draft) {
  if (draft.chart.context.status === 'expired') return report(draft, 'refresh: session_expired')
  if (!draft.tokens) return report(draft, 'refresh: signed_out')
  wait(draft, 'refresh', draft.generation)
  draft.send({ type: 'session.refresh' })
  draft.send({ type: 'clock.check' })
}
