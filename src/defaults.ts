import type { Auth } from './core/auth.ts'
import { createAuthWith } from './core/create-auth.ts'
import type { AuthOptions } from './core/options.ts'
import type { KnownUser } from './core/ports.ts'
import { environmentHere } from './environment/browser.ts'
import { systemClock } from './environment/clock.ts'
import { report } from './environment/report.ts'

/**
 * Creates a session: starts its statechart, restores what the store holds, and owns its tokens from then on.
 *
 * @param options only `refresh` is required; times are in milliseconds
 * @returns the session, to be given to transports; one for each page, or one for each user on a server
 * @throws TypeError if an option is wrong
 * @throws InvalidTokenResponseError if `initialTokens` are wrong
 *
 * @example
 * ```ts
 * const auth = createAuth({
 *   signIn: (credentials: { username: string; password: string }) => post('/token', credentials),
 *   refresh: ({ refreshToken }) => post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }),
 * })
 * await auth.signIn({ username: 'ada', password: 'correct' })
 * ```
 *
 * @see RFC 6749 §6 for the refresh, RFC 6750 for what each request carries
 */
export function createAuth<Credentials = unknown, Claims = Readonly<Record<string, unknown>>, User = object>(
  options: AuthOptions<Credentials, User>,
): Auth<Credentials, Claims, KnownUser<User>> {
  return createAuthWith(options, {
    clock: systemClock,
    environment: environmentHere(),
    report,
  })
}
