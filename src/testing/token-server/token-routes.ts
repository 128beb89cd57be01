import { isWords, wordsIn } from './checks.ts'
import type { Settings } from './options.ts'
import type { ReceivedRequest } from './received-request.ts'
import { bodyParameters, cookieValue } from './received-request.ts'
import { jsonReply, oauthError } from './replies.ts'
import type { RefreshedTokens, Sessions } from './sessions.ts'
import type { IssuedTokens, TokenServerCounters } from './types.ts'

type BodyParameters = ReadonlyMap<string, string>
/** The counters, writable by the server. */
export type MutableCounters = { -readonly [Name in keyof TokenServerCounters]: TokenServerCounters[Name] }

/** The token endpoint and the revocation endpoint. Both act synchronously, and therefore atomically. */
export interface TokenRoutes {
  token(received: ReceivedRequest): Response
  /** The sign-in of an app's own server, which takes a name and a password. */
  signIn(received: ReceivedRequest): Response
  revoke(received: ReceivedRequest): Response
  /** Refreshes without a request. */
  refresh(refreshToken: string): IssuedTokens
}

const COOKIE = 'refresh_token'

/** The refresh token that a request presents, in its body or its cookie. */
export const presentedToken = (received: ReceivedRequest, name = 'refresh_token'): string | undefined =>
  bodyParameters(received)?.get(name) || cookieValue(received.request, COOKIE)

export const createTokenRoutes = (
  { secureCookie, csrfHeader }: Pick<Settings, 'secureCookie' | 'csrfHeader'>,
  sessions: Sessions,
  counters: MutableCounters,
): TokenRoutes => {
  const cookieHeader = (value: string, more = ''): { readonly 'set-cookie': string } => {
    const attributes = `HttpOnly;${secureCookie ? ' Secure;' : ''} SameSite=Strict; Path=/token${more}`
    return { 'set-cookie': `${COOKIE}=${value}; ${attributes}` }
  }

  const tokenReply = (tokens: RefreshedTokens, parameters: BodyParameters): Response => {
    if (parameters.get('cookie') !== '1') return jsonReply(200, tokens)
    const { refresh_token: refreshToken, ...rest } = tokens
    return jsonReply(200, rest, refreshToken === undefined ? {} : cookieHeader(refreshToken))
  }

  /** Detects a request forged by a page of another origin: it has the cookie, but not the header. */
  const isForged = ({ request }: ReceivedRequest, parameters: BodyParameters | undefined): boolean =>
    csrfHeader !== '' &&
    !request.headers.has(csrfHeader) &&
    (parameters?.get('cookie') === '1' || cookieValue(request, COOKIE) !== undefined)

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

  const refresh = (received: ReceivedRequest, parameters: BodyParameters): Response => {
    const presented = presentedToken(received)
    if (!presented) return oauthError('invalid_request', 'There is no refresh token')
    const outcome = refreshSession(presented, parameters.get('scope') || undefined)
    return 'access_token' in outcome ? tokenReply(outcome, parameters) : oauthError(...outcome)
  }

  const signIn = (parameters: BodyParameters): Response => {
    const username = parameters.get('username')
    if (!username) return oauthError('invalid_request', 'There is no username')
    if (parameters.get('password') !== 'correct') return oauthError('invalid_grant', 'Wrong password')
    const scope = parameters.get('scope') || undefined
    if (scope !== undefined && !isWords(scope)) return oauthError('invalid_scope', 'The scope is malformed')
    const [acr] = wordsIn(parameters.get('acr_values') ?? '')
    const grant = { ...(scope !== undefined && { scope }), ...(acr !== undefined && { acr }) }
    return tokenReply(sessions.issue(username, grant), parameters)
  }

  return {
    refresh: (refreshToken) => {
      const outcome = refreshSession(refreshToken)
      if ('access_token' in outcome) return { refresh_token: refreshToken, ...outcome }
      throw new Error(`renew: ${outcome.join(': ')}.`)
    },

    token: (received) => {
      const parameters = bodyParameters(received)
      if (!parameters) return oauthError('invalid_request', 'The body is not a JSON object')
      if (isForged(received, parameters)) return forged()
      const grantType = parameters.get('grant_type')
      if (grantType === 'refresh_token') return refresh(received, parameters)
      if (grantType === 'password') return signIn(parameters)
      if (!grantType) return oauthError('invalid_request', 'There is no grant_type')
      return oauthError('unsupported_grant_type', 'Only refresh_token and password are supported')
    },

    signIn: (received) => {
      const parameters = bodyParameters(received)
      if (!parameters) return oauthError('invalid_request', 'The body is not a JSON object')
      return isForged(received, parameters) ? forged() : signIn(parameters)
    },

    revoke: (received) => {
      if (isForged(received, bodyParameters(received))) return forged()
      const token = presentedToken(received, 'token')
      if (!token) return oauthError('invalid_request', 'There is no token')
      if (sessions.revoke(token)) counters.revocations += 1
      const hasCookie = cookieValue(received.request, COOKIE) === token
      // An unknown token is not an error (RFC 7009 section 2.2).
      return new Response(null, { status: 200, headers: hasCookie ? cookieHeader('', '; Max-Age=0') : {} })
    },
  }
}
