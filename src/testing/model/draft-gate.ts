import type { Draft } from './draft.ts'
import { tell } from './draft.ts'
import { apiAccepts } from './draft-server.ts'
import { mayServe, ownerOf } from './draft-vault.ts'
import type { ModelHeld, ModelPass, ModelState } from './model-state.ts'

/** What becomes of requests: the model's gate. */

const passOf = ({ tokens, epoch, generation, posture }: Draft): ModelPass => ({
  tokens: posture === 'anonymous' ? undefined : tokens,
  epoch,
  generation,
})

export function setPosture(draft: Draft, posture: ModelState['posture']) {
  draft.posture = posture
  if (draft.usedEpoch !== draft.epoch) draft.usedAt = draft.wall
  if (draft.usedGeneration !== draft.generation) draft.usedSinceRenewal = false
  draft.usedEpoch = draft.epoch
  draft.usedGeneration = draft.generation
  attend(draft)
}

function attend(draft: Draft) {
  const { expiresAt = Number.POSITIVE_INFINITY, renewAt = expiresAt } = draft.tokens ?? {}
  draft.attentionAt = draft.wall < renewAt ? renewAt : expiresAt
}

function count(draft: Draft, what: 'held' | 'released' | 'replayed' | 'rejected') {
  draft.counts[what]++
  if (draft.counts.told) return
  draft.counts.told = true
  draft.jobs.push(() => {
    const { held, released, replayed, rejected } = draft.counts
    Object.assign(draft.counts, { held: 0, released: 0, replayed: 0, rejected: 0, told: false })
    if (held > 0) draft.send({ type: 'request.held', count: held, held: draft.held.length })
    if (released > 0) draft.send({ type: 'request.released', held: draft.held.length })
    if (replayed > 0) draft.send({ type: 'request.replayed', count: replayed, held: draft.held.length })
    if (rejected > 0)
      draft.send({ type: 'request.rejected', count: rejected, held: draft.held.length, reason: '' })
  })
}

/** Why a session that is over refuses. */
const refusal = ({ chart }: Draft) => (chart.context.standing === 'left' ? 'signed_out' : 'session_expired')

/** How a request goes that arrives now. */
export function pass(draft: Draft): ModelPass | 'held' | 'refused' {
  if (draft.posture === 'refuse') return 'refused'
  if (draft.posture === 'anonymous') return passOf(draft)
  const idle = draft.wall - draft.usedAt >= draft.settings.idle
  if (draft.posture === 'hold') {
    if (!idle) return 'held'
    draft.send({ type: 'session.check' })
    return (draft.posture as string) === 'hold' ? 'held' : pass(draft)
  }
  if (draft.wall < draft.attentionAt && !idle) {
    draft.usedAt = draft.wall
    draft.usedSinceRenewal = true
    return passOf(draft)
  }
  draft.usedSinceRenewal = true
  draft.send({ type: 'session.check' })
  if (draft.posture !== 'pass') return pass(draft)
  attend(draft)
  draft.usedAt = draft.wall
  return draft.wall >= (draft.tokens?.expiresAt ?? Number.POSITIVE_INFINITY) ? 'held' : passOf(draft)
}

function hold(draft: Draft, refused: boolean) {
  draft.usedAt = draft.wall
  const deadline = draft.uptime + draft.settings.holdTimeout
  draft.held = [...draft.held, { owner: ownerOf(draft), refused, deadline }]
  count(draft, 'held')
}

export function request(draft: Draft) {
  const next = pass(draft)
  if (next === 'held') hold(draft, false)
  else if (next === 'refused') tell(draft, `request: ${refusal(draft)}`)
  else deliver(draft, next)
}

function deliver(draft: Draft, sent: ModelPass) {
  if (apiAccepts(draft, sent)) answered(draft)
  else if (!sent.tokens) tell(draft, 'request: unauthorized')
  else unauthorized(draft, sent)
}

function answered(draft: Draft) {
  draft.doubt = undefined
  tell(draft, 'request: answered')
}

const isDoubted = ({ doubt, generation, wall }: Draft) =>
  doubt !== undefined && doubt.generation === generation && wall < doubt.until

/** A 401 for what was sent with that pass. */
export function unauthorized(draft: Draft, sent: ModelPass) {
  if (sent.epoch !== draft.epoch && !mayServe(draft, sent.epoch)) return tell(draft, 'request: unauthorized')
  if (sent.generation === draft.generation && isDoubted(draft)) return tell(draft, 'request: unauthorized')
  report(draft, sent)
  const next = draft.posture === 'pass' && sent.generation === draft.generation ? 'held' : pass(draft)
  if (next === 'refused') return tell(draft, `request: ${refusal(draft)}`)
  if (next === 'held') return hold(draft, true)
  if (!next.tokens) return tell(draft, 'request: unauthorized')
  replay(draft, next, false)
}

function report(draft: Draft, sent: ModelPass) {
  if (draft.posture === 'pass' && sent.generation === draft.generation)
    draft.send({ type: 'request.unauthorized', generation: sent.generation })
}

function replay(draft: Draft, next: ModelPass, waited: boolean) {
  count(draft, 'replayed')
  if (apiAccepts(draft, next)) return answered(draft)
  // A token that was waited for is fresh, so that it is the endpoint that is to be doubted.
  if (!waited) report(draft, next)
  else if (next.generation === draft.generation)
    draft.doubt = { generation: next.generation, until: draft.wall + draft.settings.maxDelay }
  tell(draft, 'request: unauthorized')
}

export function rejectHeld(draft: Draft, why: string) {
  for (const _ of draft.held) {
    tell(draft, `request: ${why}`)
    count(draft, 'rejected')
  }
  draft.held = []
  for (const _ of draft.renewals) tell(draft, `refresh: ${why}`)
  draft.renewals = []
}

export function rejectRenewals(
  draft: Draft,
  why: string,
  which: (generation: number) => boolean = () => true,
) {
  const turnedAway = draft.renewals.filter(({ generation }) => which(generation))
  draft.renewals = draft.renewals.filter(({ generation }) => !which(generation))
  for (const _ of turnedAway) tell(draft, `refresh: ${why}`)
}

/** Releases and refuses, once the chart has come to rest. */
export function settleGate(draft: Draft) {
  if (draft.posture === 'hold') return
  if (draft.posture === 'refuse') return rejectHeld(draft, refusal(draft))
  const { held } = draft
  draft.held = []
  for (const entry of held) release(draft, entry)
  if (draft.posture === 'anonymous') return rejectRenewals(draft, 'signed_out')
  const done = draft.renewals.filter(({ generation }) => generation < draft.generation)
  draft.renewals = draft.renewals.filter(({ generation }) => generation >= draft.generation)
  for (const _ of done) tell(draft, 'refresh: renewed')
}

function release(draft: Draft, { owner, refused }: ModelHeld) {
  const admitted = draft.posture === 'pass' ? mayServe(draft, owner) : owner === -1
  if (!admitted) {
    tell(draft, 'request: signed_out')
    return count(draft, 'rejected')
  }
  const next = passOf(draft)
  count(draft, 'released')
  draft.jobs.push(() => (refused ? replay(draft, next, true) : deliver(draft, next)))
}

/** Turns away who has waited too long. */
export function timeOut(draft: Draft) {
  const late = draft.held.filter(({ deadline }) => deadline <= draft.uptime)
  draft.held = draft.held.filter(({ deadline }) => deadline > draft.uptime)
  for (const _ of late) {
    tell(draft, 'request: hold_timeout')
    count(draft, 'rejected')
  }
  const { renewals } = draft
  draft.renewals = renewals.filter(({ deadline }) => deadline > draft.uptime)
  for (const { deadline } of renewals) if (deadline <= draft.uptime) tell(draft, 'refresh: hold_timeout')
}

/** `auth.refresh()`. */
export function refresh(draft: Draft) {
  const { standing } = draft.chart.context
  if (standing === 'expired') return tell(draft, 'refresh: session_expired')
  if (!draft.tokens) return tell(draft, 'refresh: signed_out')
  const deadline = draft.uptime + draft.settings.holdTimeout
  draft.renewals = [...draft.renewals, { generation: draft.generation, deadline }]
  draft.send({ type: 'session.refresh' })
}
