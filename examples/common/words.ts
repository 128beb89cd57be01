/** The texts of the example. */
import type { AuthState, Reason } from 'authchart'

const STATES: Readonly<Record<AuthState, string>> = {
  restoring: 'Looking for your session',
  anonymous: 'Signed out',
  authenticating: 'Signing in',
  authenticated: 'Signed in',
  refreshing: 'Refreshing the token',
  expired: 'Expired',
  signingOut: 'Signing out',
  loggedOut: 'Signed out',
}
export const stateWords = (state: AuthState) => STATES[state]

/** Why the session ended, for the user. */
export function reasonWords(reason: Reason | undefined): string {
  if (reason === 'idle') return 'You were away for a while.'
  if (reason === 'lifetime') return 'You have been signed in for a long time.'
  return 'The server has ended your session.'
}

/** Formats a remaining time, given in milliseconds: `17 s`, `2 min 5 s`. */
export function timeWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000))
  if (seconds < 60) return `${seconds} s`
  const rest = seconds % 60
  return `${Math.floor(seconds / 60)} min${rest > 0 ? ` ${rest} s` : ''}`
}

/** Says how many requests wait for the user. */
export function waitingWords(held: number): string {
  if (held === 0) return 'No request waits.'
  return held === 1 ? 'One request waits for you.' : `${held} requests wait for you.`
}
