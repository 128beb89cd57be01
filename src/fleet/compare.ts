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

/** Which of two ends is remembered: that of the later session, and of the same session both. Neither can be taken back. */
export function widerEnd(remembered: EndedSession | undefined, ended: EndedSession): EndedSession {
  if (!remembered) return ended
  if (remembered.id !== ended.id) return remembered.startedAt > ended.startedAt ? remembered : ended
  return {
    id: ended.id,
    rotation: Math.max(remembered.rotation, ended.rotation),
    startedAt: Math.max(remembered.startedAt, ended.startedAt),
  }
}
