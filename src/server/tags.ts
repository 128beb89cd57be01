import type { SessionRecord } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import { hashTag } from './hash-key.ts'

/**
 * The tags by which the session of a record is found: its user and the `sid` of its ID token, to end it, and the key that sealed
 * it first, to seal it again.
 */
export async function tagsOf({ subject, idToken }: SessionRecord, keyId: string): Promise<readonly string[]> {
  const sid = idToken === undefined ? undefined : jwtClaims(idToken)?.sid
  return Promise.all([
    hashTag('key', keyId),
    ...(subject === undefined ? [] : [hashTag('sub', subject)]),
    ...(typeof sid === 'string' && sid !== '' ? [hashTag('sid', sid)] : []),
  ])
}
