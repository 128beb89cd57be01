import { isWords, wordsIn } from './checks.ts'
import type { Endpoints, TokenEndpoint } from './endpoints.ts'
import type { Settings } from './options.ts'
import type { ReceivedRequest } from './received-request.ts'
import { cookieValue } from './received-request.ts'
import { jsonReply } from './replies.ts'
import type { RefreshedTokens, Sessions } from './sessions.ts'
import type { IssuedTokens, TokenServerCounters } from './types.ts'

type Parameters = ReadonlyMap<string, string>
/** The counters, writable by the server. */
export type MutableCounters = { -readonly [Name in keyof TokenServerCounters]: TokenServerCounters[Name] }

/** The token endpoint, the sign-in and the revocation endpoint. They act synchronously, and therefore atomically. */
export interface TokenRoutes {
  answer(endpoint: TokenEndpoint, received: ReceivedRequest): Response
  /** Refreshes without a request. */
  renew(refreshToken: string): IssuedTokens
}

const COOKIE = 'refresh_token'

/** The token that a request to refresh or to revoke presents, in its body or its cookie. */
export const presentedToken = (
  received: ReceivedRequest,
  parameters: Parameters | undefined,
  name = 'refresh_token',
): string | undefined => parameters?.get(name) || cookieValue(received.request, COOKIE)

export const createTokenRoutes = (
  { secureCookie, csrfHeader }: Pick<Settings, 'secureCookie' | 'csrfHeader'>,
  endpoints: Endpoints,
  sessions: Sessions,
  counters: MutableCounters,
): TokenRoutes => {
  const setCookie = (value: string, more = ''): string =>
    `${COOKIE}=${value}; HttpOnly;${secureCookie ? ' Secure;' : ''} SameSite=Strict; Path=${endpoints.cookiePath}${more}`

  const tokenReply = (endpoint: TokenEndpoint, tokens: RefreshedTokens, parameters: Parameters): Response => {
    const subject = sessions.authenticate(tokens.access_token)?.subject ?? ''
    if (parameters.get('cookie') !== '1') return endpoints.answer(endpoint, tokens, subject)
    const { refresh_token: refreshToken, ...rest } = tokens
    const reply = endpoints.answer(endpoint, rest, subject)
    if (refreshToken !== undefined) reply.headers.append('set-cookie', setCookie(refreshToken))
    return reply
  }

  const refuse = (endpoint: TokenEndpoint, error: string, description: string): Response =>
    endpoints.refuse(endpoint, { error, error_description: description })

  /** Detects a request forged by a page of another origin: it has the cookie, but not the header. */
  const isForged = ({ request }: ReceivedRequest, parameters: Parameters): boolean =>
    csrfHeader !== '' &&
    !request.headers.has(csrfHeader) &&
    (parameters.get('cookie') === '1' || cookieValue(request, COOKIE) !== undefined)

  const forged = (): Response =>
    jsonReply(403, { error: 'invalid_request', error_description: `There is no ${csrfHeader} header` })

  /** Returns the tokens, or the OAuth error and its description. */
  const refreshSession = (presented: string, scope?: string): RefreshedTokens | readonly [string, string] => {
    const outcome = sessions.refresh(presented, scope)
    if (outcome === 'reused') {
      counters.reuseDetections += 1
      return ['invalid_grant', 'The refresh token was used before']
    }
    if (outcome === 'invalid') return ['invalid_grant', 'The refresh token is unknown or revoked']
    if (outcome === 'exceeded') return ['invalid_scope', 'The scope is more than was granted']
    counters.refreshes += 1
    return outcome
  }

  const refresh = (received: ReceivedRequest, parameters: Parameters): Response => {
    const presented = presentedToken(received, parameters)
    if (!presented) return refuse('refresh', 'invalid_request', 'There is no refresh token')
    const outcome = refreshSession(presented, parameters.get('scope') || undefined)
    return 'access_token' in outcome
      ? tokenReply('refresh', outcome, parameters)
      : refuse('refresh', ...outcome)
  }

  const signIn = (parameters: Parameters): Response => {
    const username = parameters.get('username')
    if (!username) return refuse('signIn', 'invalid_request', 'There is no username')
    if (parameters.get('password') !== 'correct') return refuse('signIn', 'invalid_grant', 'Wrong password')
    const scope = parameters.get('scope') || undefined
    if (scope !== undefined && !isWords(scope))
      return refuse('signIn', 'invalid_scope', 'The scope is malformed')
    const [acr] = wordsIn(parameters.get('acr_values') ?? '')
    const grant = { ...(scope !== undefined && { scope }), ...(acr !== undefined && { acr }) }
    return tokenReply('signIn', sessions.issue(username, grant), parameters)
  }

  const token = (received: ReceivedRequest, parameters: Parameters): Response => {
    const grantType = parameters.get('grant_type')
    if (grantType === 'refresh_token') return refresh(received, parameters)
    if (grantType === 'password') return signIn(parameters)
    if (!grantType) return refuse('refresh', 'invalid_request', 'There is no grant_type')
    return refuse('refresh', 'unsupported_grant_type', 'Only refresh_token and password are supported')
  }

  const revoke = (received: ReceivedRequest, parameters: Parameters): Response => {
    const presented = presentedToken(received, parameters, 'token')
    if (!presented) return refuse('revoke', 'invalid_request', 'There is no token')
    if (sessions.revoke(presented)) counters.revocations += 1
    const hasCookie = cookieValue(received.request, COOKIE) === presented
    // An unknown token is not an error (RFC 7009 section 2.2).
    return new Response(null, { headers: hasCookie ? { 'set-cookie': setCookie('', '; Max-Age=0') } : {} })
  }

  const routes = {
    signIn: (_received: ReceivedRequest, parameters: Parameters) => signIn(parameters),
    refresh: token,
    revoke,
  }

  return {
    renew: (refreshToken) => {
      const outcome = refreshSession(refreshToken)
      if ('access_token' in outcome) return { refresh_token: refreshToken, ...outcome }
      throw new Error(`renew: ${outcome.join(': ')}.`)
    },

    answer: (endpoint, received) => {
      try {
        const parameters = endpoints.parametersOf(received)
        if (typeof parameters === 'string') return refuse(endpoint, 'invalid_request', parameters)
        return isForged(received, parameters) ? forged() : routes[endpoint](received, parameters)
      } catch (error) {
        // A function of the test threw: parse, format or formatError. Its answer shows the mistake.
        return jsonReply(500, {
          error: 'server_error',
          error_description: `A function of the test threw: ${error}`,
        })
      }
    },
  }
}
