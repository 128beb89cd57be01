import type { Draft } from './draft.ts'
import { received } from './draft-vault.ts'
import type { ModelFamily, ModelPass, ModelTokens } from './model-state.ts'

/** The authorization server and the API of the model. */

function update(draft: Draft, id: number, change: Partial<ModelFamily>) {
  const family = draft.families.get(id)
  if (family) draft.families = new Map(draft.families).set(id, { ...family, ...change })
}

/** A user signs in: with this app, or with another of the same server. */
export function issue(draft: Draft, subject: ModelFamily['subject'], lifetime?: number): ModelTokens {
  const id = draft.families.size + 1
  draft.families = new Map(draft.families).set(id, {
    subject,
    startedAt: draft.wall,
    refreshTokenAlive: true,
    newest: 0,
    lastUsed: -1,
    refusedUpTo: -1,
  })
  return received(draft, { family: id, rotation: 0 }, lifetime)
}

/** The server takes a refresh token and gives the next one; nothing where it is dead. */
export function exchange(draft: Draft, tokens: ModelTokens | undefined): ModelTokens | undefined {
  const id = tokens?.family ?? draft.cookie
  const family = id === undefined ? undefined : draft.families.get(id)
  if (id === undefined || !family?.refreshTokenAlive) return undefined
  const presented = tokens?.rotation ?? family.newest
  // Within the grace window a token may come again, until one that came out of it is used: then it is a replay.
  if (presented < family.lastUsed) {
    update(draft, id, { refreshTokenAlive: false, refusedUpTo: Number.POSITIVE_INFINITY })
    return undefined
  }
  update(draft, id, { newest: family.newest + 1, lastUsed: presented })
  return received(draft, { family: id, rotation: family.newest + 1 })
}

export function refuseAccessTokens(draft: Draft) {
  for (const [id, { newest }] of draft.families) update(draft, id, { refusedUpTo: newest })
}

export function killRefreshTokens(draft: Draft) {
  for (const id of draft.families.keys()) update(draft, id, { refreshTokenAlive: false })
}

/** What the API says to a request. */
export function apiAccepts({ families, truth }: Draft, { tokens }: ModelPass): boolean {
  if (!tokens) return false
  const family = families.get(tokens.family)
  return family !== undefined && tokens.rotation > family.refusedUpTo && truth < tokens.diesAt
}
