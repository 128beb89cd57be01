import { endsSession, mayReplace } from '../../machines/policies.ts'
import type { EndedSession, Replaced, StoredRotation } from '../core/ports.ts'
import type { StoredSession } from './fleet.ts'

/** What `Fleet.replace` answers. Engines that compare in a language of their own follow the same rules. */
export function compareStored(
  stored: StoredSession | undefined,
  ended: EndedSession | undefined,
  next: StoredSession,
  expected: StoredRotation | undefined,
): Replaced {
  if (!stored) return ended && endsSession(ended, next, false) ? 'gone' : 'written'
  return mayReplace(next, stored, expected) ? 'written' : 'newer'
}
