import type { SessionRecord } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import { hashTag } from './hash-key.ts'

/** The tags by which `end` finds the session of a record: its user, and the `sid` of its ID token. */
export async function tagsOf({ subject, idToken }: SessionRecord): Promise<readonly string[]> {
  const sid = idToken === undefined ? undefined : jwtClaims(idToken)?.sid
  return Promise.all([
    ...(subject === undefined ? [] : [hashTag('sub', subject)]),
    ...(typeof sid === 'string' && sid !== '' ? [hashTag('sid', sid)] : []),
  ])
}
