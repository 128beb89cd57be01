import { compareSessions, compareUsers, type UserNames } from '../../../machines/policies.ts'
import type { TokenFacts } from '../../../machines/vocabulary.ts'
import { isObject } from '../platform/is-object.ts'
import type { SessionRecord } from '../ports.ts'
import { isBounded, isHeaderSafe, isInstant, jwtClaims, userFacts, userNames } from './token-response.ts'
import type { HeldTokens, Vault } from './vault.ts'

/** Tokens that were merged into the vault. */
export interface Merged {
  readonly facts: TokenFacts
  /** Whether they are newer tokens of the session that the vault held, and not another sign-in. */
  readonly refreshed: boolean
}

/**
 * Merges a stored record into the vault if it is newer than what the vault holds.
 *
 * @param lastUse when the session was last used, if that is known
 * @returns nothing if the current tokens stay
 */
export function mergeRecord(vault: Vault, record: SessionRecord, lastUse?: number): Merged | undefined {
  const { tokens } = vault
  const order = compareSessions(record, tokens)
  if (order !== 'signedIn' && order !== 'refreshed') return undefined
  const found = open(record)
  if (!tokens || order === 'signedIn' || compareUsers(tokens.user, found.user) === 'another')
    return { facts: vault.start(found, lastUse), refreshed: false }
  // A branch of another tab may have brought only a new refresh token: then the rest is of the same answer.
  const isSame = record.receivedAt === tokens.receivedAt && record.accessToken === tokens.accessToken
  if (!isSame && record.accessToken !== null) return { facts: vault.replace(found), refreshed: true }
  // The access token in memory is still valid; only the next refresh sends another refresh token.
  const { rotation, refreshToken, refreshTokenExpiresAt } = found
  vault.amend({ rotation, refreshToken, refreshTokenExpiresAt })
  return undefined
}

/**
 * The record to store of the current session, if there is one.
 *
 * @param withoutAccess leaves access and ID token out
 */
export function recordOf({ tokens }: Vault, withoutAccess: boolean): SessionRecord | undefined {
  if (!tokens) return undefined
  const {
    claims: _,
    accessToken = null,
    ...rest
  } = withoutAccess ? { ...tokens, accessToken: undefined, idToken: undefined, expiresAt: undefined } : tokens
  // JSON drops what is undefined; the record type promises that it is missing.
  return { version: 1, accessToken, ...(rest as Omit<SessionRecord, 'version' | 'accessToken'>) }
}

function open(record: SessionRecord): HeldTokens {
  const { accessToken, id, rotation, startedAt, receivedAt, refreshToken, idToken } = record
  const named = record.idToken === undefined ? undefined : jwtClaims(record.idToken)
  const own = accessToken === null ? undefined : jwtClaims(accessToken)
  // Field by field: a store may return more than the library has written.
  return {
    id,
    rotation,
    startedAt,
    receivedAt,
    accessToken: accessToken ?? undefined,
    refreshToken,
    idToken,
    // A missing access token counts as expired.
    expiresAt: accessToken === null ? 0 : record.expiresAt,
    refreshTokenExpiresAt: record.refreshTokenExpiresAt,
    scope: record.scope,
    tokenType: record.tokenType && 'DPoP',
    keyId: record.keyId,
    proofKey: record.proofKey,
    subject: record.subject,
    user: record.user ?? userNames(record.subject, named, own),
    claims: record.idToken === undefined ? own : named,
    profile: userFacts(record.profile, [accessToken ?? undefined, refreshToken, idToken]),
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && isBounded(value)
const isOptionalText = (value: unknown) => value === undefined || isText(value)
const isOptionalInstant = (value: unknown) => value === undefined || isInstant(value)

function isUserNames(value: unknown): value is UserNames {
  if (!isObject(value)) return false
  const { app, idToken, accessToken } = value
  return [app, idToken, accessToken].every(isOptionalText)
}

/** Whether a store returned a record of this version, and not of another library or a damaged one. */
export function isSessionRecord(record: unknown): record is SessionRecord {
  return (
    isObject(record) &&
    record.version === 1 &&
    isText(record.id) &&
    // An access token that was left out on purpose is `null`: a record that lacks it is damaged.
    (record.accessToken === null || (isText(record.accessToken) && isHeaderSafe(record.accessToken))) &&
    Number.isSafeInteger(record.rotation) &&
    isInstant(record.startedAt) &&
    isInstant(record.receivedAt) &&
    isOptionalText(record.refreshToken) &&
    isOptionalText(record.idToken) &&
    isOptionalText(record.scope) &&
    isOptionalText(record.keyId) &&
    isOptionalText(record.subject) &&
    (record.user === undefined || isUserNames(record.user)) &&
    isOptionalInstant(record.expiresAt) &&
    isOptionalInstant(record.refreshTokenExpiresAt)
  )
}
