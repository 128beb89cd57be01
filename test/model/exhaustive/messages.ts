import { isNewer, NOTHING, sessionOf, type Tab, type TokenSet } from './state.ts'
import type { Stepper } from './stepper.ts'

/** The messages between tabs (`CoordinatorMessage`): the store has changed. */
export const CHANGED = 1
/** The user has signed out of the session with this number. */
export const signedOut = (session: number) => 1 + session
/** These tokens have expired. The message is the token set itself, which is at least 16. */
export const expired = (tokens: TokenSet) => tokens
export const isExpiry = (message: number) => message >= 16
/** The session that a message ends. */
const endedBy = (message: number) => (isExpiry(message) ? message >> 4 : message - 1)

/**
 * Whether a message ends the session of a tab: the same sign-in or an earlier one, and no newer tokens than expired. A
 * sign-out does not end the tokens of an earlier session, which may have another store: the tab reads its own.
 */
export function isEndOf({ rules }: Stepper, { tokens, expiredSession }: Tab, message: number): boolean {
  if (message === CHANGED) return false
  const held = tokens === NOTHING ? expiredSession : sessionOf(tokens)
  if (held === 0 || !rules.endNamesSession) return true
  if (isExpiry(message)) return isExpiryOf(message, tokens)
  return tokens === NOTHING ? held <= endedBy(message) : held === endedBy(message)
}

/** Whether the expiry of some tokens ends others: the same, older ones, or those of an earlier session. */
export const isExpiryOf = (announced: TokenSet, tokens: TokenSet) =>
  announced !== NOTHING && tokens !== NOTHING && !isNewer(tokens, announced)

/**
 * Whether the tab has to wait before it takes a missing record for a sign-out: a message is on its way that says why the
 * record is missing (`pause` in `session/store-queue.ts`).
 */
export const waitsForReason = (stepper: Stepper, tab: number) =>
  stepper.rules.looksTwice &&
  stepper.before.tabs[tab]!.inbox.some(
    (message) => isExpiry(message) && isEndOf(stepper, stepper.before.tabs[tab]!, message),
  )
