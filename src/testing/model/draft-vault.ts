import type { TokenFacts } from '../../../machines/index.ts'
import { renewalTime } from '../../core/renewal-time.ts'
import type { Draft } from './draft.ts'
import type { ModelMark, ModelTokens } from './model-state.ts'

/** What the session's tokens come to: the model's vault and store. */

export const markOf = ({ epoch, change }: Draft): ModelMark => ({ epoch, change })

export function facts(draft: Draft): TokenFacts {
  const { epoch, generation, tokens } = draft
  return {
    epoch,
    generation,
    expiresAt: tokens?.expiresAt,
    renewAt: tokens?.renewAt,
    renewable: tokens?.renewable ?? true,
  }
}

/** A token set as the app takes it down on receipt. */
export function received(
  draft: Draft,
  { family, rotation }: { readonly family: number; readonly rotation: number },
  lifetime = draft.settings.lifetime,
): ModelTokens {
  const { subject = 'ada', startedAt = draft.wall } = draft.families.get(family) ?? {}
  const expiresAt = draft.wall + lifetime
  const set = { receivedAt: draft.wall, expiresAt } as Parameters<typeof renewalTime>[0]
  return {
    family,
    rotation,
    subject,
    startedAt,
    expiresAt,
    renewAt: renewalTime(set, draft.settings.refreshAhead) ?? expiresAt,
    diesAt: draft.truth + lifetime,
    renewable: true,
  }
}

function seal(draft: Draft, tokens: ModelTokens): TokenFacts {
  draft.tokens = tokens
  draft.generation++
  draft.change++
  return facts(draft)
}

function unseal(draft: Draft, expired: boolean) {
  const { tokens, epoch } = draft
  if (tokens) draft.predecessor = { epoch, subject: tokens.subject, expired }
  draft.tokens = undefined
  draft.change++
  return tokens
}

export function begin(draft: Draft, tokens: ModelTokens): TokenFacts {
  unseal(draft, false)
  draft.epoch++
  return seal(draft, tokens)
}

export function renew(draft: Draft, mark: ModelMark, tokens: ModelTokens): TokenFacts | undefined {
  if (mark.change !== draft.change) return undefined
  return draft.tokens ? seal(draft, tokens) : begin(draft, tokens)
}

export function adopt(
  draft: Draft,
  next: ModelTokens,
): { readonly facts: TokenFacts; readonly renewal: boolean } | undefined {
  const { tokens } = draft
  if (!tokens) return { facts: begin(draft, next), renewal: false }
  if (next.family === tokens.family) {
    return next.rotation > tokens.rotation ? { facts: seal(draft, next), renewal: true } : undefined
  }
  return next.startedAt > tokens.startedAt ? { facts: begin(draft, next), renewal: false } : undefined
}

export function erase(draft: Draft) {
  if (unseal(draft, true)) clearStore(draft)
}

export function dismiss(draft: Draft, clears: boolean) {
  unseal(draft, false)
  draft.epoch++
  draft.predecessor = undefined
  if (clears) clearStore(draft)
}

export const ownerOf = ({ tokens, epoch, predecessor }: Draft): number =>
  tokens ? epoch : predecessor?.expired ? predecessor.epoch : -1

export function mayServe({ epoch, tokens, predecessor }: Draft, owner: number): boolean {
  if (owner === -1 || owner === epoch) return true
  return owner === predecessor?.epoch && tokens !== undefined && predecessor.subject === tokens.subject
}

function storeFailed(draft: Draft) {
  // That it goes on is no news.
  if (draft.storeFailureTold) return
  draft.storeFailureTold = true
  draft.send({ type: 'storage.failed', reason: 'failed' })
}

export function clearStore(draft: Draft) {
  if (draft.storage === 'none') return
  draft.storeHolds = false
  if (draft.storage === 'broken') storeFailed(draft)
  else draft.stored = undefined
}

export function keep(draft: Draft) {
  if (draft.storage === 'none' || !draft.tokens) return
  if (draft.storage === 'broken') {
    // The record, less of it, and then the attempt to clear it away.
    storeFailed(draft)
    clearStore(draft)
    return
  }
  draft.stored = draft.tokens
  draft.storeHolds = true
  draft.storeFailureTold = false
}

/** The store's record; `'gone'` where somebody took it away. */
export function readStore(draft: Draft): ModelTokens | 'gone' | 'unreadable' | undefined {
  if (draft.storage === 'none') return undefined
  if (draft.storage === 'broken') {
    storeFailed(draft)
    return 'unreadable'
  }
  const missed = draft.storeHolds && !draft.stored
  draft.storeHolds = draft.stored !== undefined
  return missed ? 'gone' : draft.stored
}

/** Takes over what a sibling left in the store. */
export function adoptNewer(draft: Draft) {
  const record = readStore(draft)
  return typeof record === 'object' ? adopt(draft, record) : undefined
}
