import { isReached } from '../../../machines/policies.ts'
import {
  type Draft,
  type Grant,
  grantOf,
  type ModelCredential,
  type ModelState,
  type ModelTokens,
  type Subject,
} from './model-state.ts'
import { receive } from './tokens.ts'

/** The authorization server and the API of the model. */

/** Issues tokens to a user who signs in, with this app or another one. */
export function issue(draft: Draft, subject: Subject, lifetime?: number): ModelTokens {
  const id = `${draft.grants.length + 1}`
  const grant: Grant = { id, subject, isRevoked: false, newest: 0, lastUsed: -1, refusedUpTo: -1 }
  draft.grants = [...draft.grants, grant]
  return receive(draft, { id, rotation: 0, subject }, lifetime)
}

/** Issues new tokens for a refresh token, or for the cookie. Returns nothing if it is rejected. */
export function refreshOnServer(draft: Draft, tokens: ModelTokens | undefined): ModelTokens | undefined {
  const grant = grantOf(draft, tokens)
  if (!grant || grant.isRevoked) return undefined
  const { id, subject, newest } = grant
  const sent = tokens?.rotation ?? newest
  // Within the grace period a refresh token may be sent again, until a token that it led to is used: then it is a replay.
  const isReplay = sent < grant.lastUsed
  const change = isReplay
    ? { isRevoked: true, refusedUpTo: Number.POSITIVE_INFINITY }
    : { newest: newest + 1, lastUsed: sent }
  draft.grants = draft.grants.map((one) => (one === grant ? { ...grant, ...change } : one))
  return isReplay ? undefined : receive(draft, { id, rotation: newest + 1, subject })
}

export function refuseAccessTokens(draft: Draft) {
  draft.grants = draft.grants.map((grant) => ({ ...grant, refusedUpTo: grant.newest }))
}

export function revokeRefreshTokens(draft: Draft) {
  draft.grants = draft.grants.map((grant) => ({ ...grant, isRevoked: true }))
}

/** Whether the API accepts a request. */
export const apiAccepts = (state: ModelState, { tokens }: ModelCredential): boolean =>
  tokens !== undefined &&
  tokens.rotation > (grantOf(state, tokens)?.refusedUpTo ?? 0) &&
  !isReached(tokens.expiresOnServerAt, state.serverTime)
