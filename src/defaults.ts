import type { Auth } from './core/auth.ts'
import { createAuthWith } from './core/create-auth.ts'
import { type BranchableAuth, type BranchOptions, createBranchWith } from './core/create-branch.ts'
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

/**
 * Creates a session for another API, whose access tokens come from the refresh token of a session that exists (RFC 8707 §2.2).
 *
 * It begins and ends with that session, and belongs to the same user. Its first token is requested when a request needs it.
 * All refreshes of the session and of its branches take turns, in tabs and processes, too, so that no refresh token is
 * presented twice at once. A refresh token that the answer brings goes to the session, and is stored there before the next turn.
 *
 * Each use of a branch is a use of its session for `sessionLimits`. The other options of the session apply to the branch.
 * `signOut` of a branch ends only the branch, until the next sign-in; `signIn` does not exist.
 *
 * @param auth the session, which has the refresh token
 * @param options at least one of them
 * @returns a session for transports and bindings. It is disposed with `auth`
 * @throws TypeError if `resource`, `scope` and `extra` are missing, or the session lives in a worker
 *
 * @example
 * ```ts
 * const payments = createBranch(auth, { resource: 'https://payments.example.com', scope: 'pay' })
 * const pay = createAuthFetch(payments, { origins: ['https://payments.example.com'] })
 * ```
 *
 * @see RFC 8707 §2.2, RFC 6749 §6
 */
export function createBranch<User>(
  auth: BranchableAuth<User>,
  options: BranchOptions,
): Auth<never, Readonly<Record<string, unknown>>, User> {
  return createBranchWith(auth, options, systemClock)
}
