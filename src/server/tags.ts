import type { SessionRecord } from '../core/ports.ts'
import { jwtClaims } from '../core/session/token-response.ts'
import { hashTag } from './hash-key.ts'
import { SESSION } from './session-box.ts'

/**
 * The tags by which the session of a record is found: its user and the `sid` of its ID token, to end it, and one of all sessions, to
 * seal it again.
 */
export async function tagsOf({ subject, idToken }: SessionRecord): Promise<readonly string[]> {
  const sid = idToken === undefined ? undefined : jwtClaims(idToken)?.sid
  return Promise.all([
    SESSION,
    ...(subject === undefined ? [] : [hashTag('sub', subject)]),
    ...(typeof sid === 'string' && sid !== '' ? [hashTag('sid', sid)] : []),
  ])
}
