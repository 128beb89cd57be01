import type { Reason, TokenFacts } from '../../../machines/index.ts'
import { compareSessions, endsSession, refreshTime } from '../../../machines/policies.ts'
import type { Draft, ModelTokens } from './model-state.ts'

/** The tokens that the app holds, in memory and in its store. */

function factsOf({ epoch, generation, tokens }: Draft): TokenFacts {
  const { expiresAt, refreshAt, refreshable = true } = tokens ?? {}
  return { epoch, generation, expiresAt, refreshAt, refreshable }
}

/** A token set as the app receives it now. */
export function receive(
  { wall, serverTime, settings }: Draft,
  issued: Pick<ModelTokens, 'id' | 'rotation' | 'subject'>,
  lifetime = settings.lifetime,
): ModelTokens {
  const expiresAt = wall + lifetime
  const refreshAt = refreshTime({ receivedAt: wall, expiresAt }, settings.refreshAhead) ?? expiresAt
  const expiresOnServerAt = serverTime + lifetime
  const user = { app: issued.subject }
  return { ...issued, user, startedAt: wall, expiresAt, refreshAt, expiresOnServerAt, refreshable: true }
}

function replace(draft: Draft, tokens: ModelTokens): TokenFacts {
  draft.tokens = tokens
  draft.generation++
  draft.revision++
  return factsOf(draft)
}

function drop(draft: Draft, expired: boolean) {
  const { tokens, epoch } = draft
  if (tokens) draft.predecessor = { ...tokens, epoch, expired }
  draft.tokens = undefined
  draft.revision++
}

/** Starts a session that was found in the store. */
function start(draft: Draft, tokens: ModelTokens): TokenFacts {
  drop(draft, false)
  draft.newestStart = Math.max(draft.newestStart, tokens.startedAt)
  draft.epoch++
  draft.usedAt = draft.wall
  return replace(draft, tokens)
}

/** Starts a session with the tokens of a sign-in. */
export const begin = (draft: Draft, tokens: ModelTokens): TokenFacts =>
  start(draft, { ...tokens, startedAt: Math.max(tokens.startedAt, draft.newestStart + 1) })

/** Commits refreshed tokens. Returns nothing if the session has changed since `revision`. */
export function commit(draft: Draft, revision: number, tokens: ModelTokens): TokenFacts | undefined {
  if (revision !== draft.revision) return undefined
  const { startedAt } = draft.tokens ?? {}
  return startedAt === undefined ? begin(draft, tokens) : replace(draft, { ...tokens, startedAt })
}

export function expireTokens(draft: Draft) {
  if (!draft.tokens) return
  drop(draft, true)
  clearStore(draft)
}

/** Another tab ended the stored session, and announces why. */
export function endElsewhere(draft: Draft, reason: Reason) {
  const { stored, tokens, predecessor } = draft
  if (!stored) return
  draft.stored = undefined
  const held = tokens ?? predecessor
  const isSignOut = reason === 'signed_out'
  if (held && !endsSession(stored, held, isSignOut)) draft.send({ type: 'store.changed' })
  else if (isSignOut || tokens) {
    draft.revision++
    draft.send(isSignOut ? { type: 'session.endedElsewhere' } : { type: 'session.expiredElsewhere', reason })
  }
}

/** The user signed out, in this tab or in another one. */
export function endTokens(draft: Draft, elsewhere: boolean) {
  draft.revokes = draft.tokens !== undefined && !elsewhere
  draft.credentials = undefined
  drop(draft, false)
  draft.epoch++
  draft.predecessor = undefined
  if (elsewhere) draft.hasRecord = false
  else clearStore(draft)
}

function reportStoreFailure(draft: Draft) {
  if (draft.storeFailureReported) return
  draft.storeFailureReported = true
  draft.jobs.push(() => draft.send({ type: 'store.failed', reason: 'failed' }))
}

function clearStore(draft: Draft) {
  draft.hasRecord = false
  if (draft.storage === 'works') draft.stored = undefined
  else if (draft.storage === 'broken') reportStoreFailure(draft)
}

export function persist(draft: Draft) {
  if (draft.storage === 'works') {
    draft.stored = draft.tokens
    draft.hasRecord = true
  }
  // The app clears what it could not overwrite.
  else clearStore(draft)
}

/** Merges what the store holds, if it is newer. */
export function mergeStored(draft: Draft): { facts: TokenFacts; refreshed: boolean } | undefined {
  if (draft.storage === 'broken') reportStoreFailure(draft)
  if (draft.storage !== 'works') return undefined
  const { stored, tokens } = draft
  if (!stored) {
    if (draft.hasRecord && tokens) draft.send({ type: 'session.endedElsewhere' })
    return undefined
  }
  draft.hasRecord = true
  const order = compareSessions(stored, tokens)
  if (order === 'signedIn') return { facts: start(draft, stored), refreshed: false }
  return order === 'refreshed' ? { facts: replace(draft, stored), refreshed: true } : undefined
}

/** Looks in the store for what another tab changed. */
export function checkStore(draft: Draft) {
  const merged = mergeStored(draft)
  if (merged) draft.send({ type: 'tokens.received', ...merged })
}
