import { isWords, wordsIn } from './checks.ts'
import type { Exchange } from './exchange.ts'
import { bodyParameters, cookieValue } from './exchange.ts'
import type { Settings } from './options.ts'
import { jsonReply, oauthError } from './replies.ts'
import type { RefreshedTokens, Sessions } from './sessions.ts'
import type { IssuedTokens, TokenServerCounters } from './types.ts'

type BodyParameters = ReadonlyMap<string, string>
/** The counters as the server itself writes them. */
export type MutableCounters = { -readonly [Name in keyof TokenServerCounters]: TokenServerCounters[Name] }

/** What `POST /token` and the revocation endpoint do to the sessions. Both act synchronously, hence atomically. */
export interface TokenRoutes {
  token(exchange: Exchange): Response
  revoke(exchange: Exchange): Response
  /** The exchange without a request. */
  renew(refreshToken: string): IssuedTokens
}

const COOKIE = 'refresh_token'

/** The refresh token that a request presents, in its body or its cookie. */
export const presentedToken = (exchange: Exchange, name = 'refresh_token'): string | undefined =>
  bodyParameters(exchange)?.get(name) || cookieValue(exchange.request, COOKIE)

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

  /** What a page of another origin had the browser send: it has the cookie, and not the header. */
  const isForged = ({ request }: Exchange, parameters: BodyParameters | undefined): boolean =>
    csrfHeader !== '' &&
    !request.headers.has(csrfHeader) &&
    (parameters?.get('cookie') === '1' || cookieValue(request, COOKIE) !== undefined)

  const forged = (): Response =>
    jsonReply(403, { error: 'invalid_request', error_description: `There is no ${csrfHeader} header` })

  /** Tokens, or why there are none. */
  const renew = (presented: string, scope?: string): RefreshedTokens | readonly [string, string] => {
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

  const refresh = (exchange: Exchange, parameters: BodyParameters): Response => {
    const presented = presentedToken(exchange)
    if (!presented) return oauthError('invalid_request', 'There is no refresh token')
    const outcome = renew(presented, parameters.get('scope') || undefined)
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
    renew: (refreshToken) => {
      const outcome = renew(refreshToken)
      if ('access_token' in outcome) return { refresh_token: refreshToken, ...outcome }
      throw new Error(`renew: ${outcome.join(': ')}.`)
    },

    token: (exchange) => {
      const parameters = bodyParameters(exchange)
      if (!parameters) return oauthError('invalid_request', 'The body is not a JSON object')
      if (isForged(exchange, parameters)) return forged()
      const grantType = parameters.get('grant_type')
      if (grantType === 'refresh_token') return refresh(exchange, parameters)
      if (grantType === 'password') return signIn(parameters)
      if (!grantType) return oauthError('invalid_request', 'There is no grant_type')
      return oauthError('unsupported_grant_type', 'Only refresh_token and password are supported')
    },

    revoke: (exchange) => {
      if (isForged(exchange, bodyParameters(exchange))) return forged()
      const token = presentedToken(exchange, 'token')
      if (!token) return oauthError('invalid_request', 'There is no token')
      if (sessions.revoke(token)) counters.revocations += 1
      const hasCookie = cookieValue(exchange.request, COOKIE) === token
      // Unknown tokens are no error (RFC 7009 section 2.2).
      return new Response(null, { status: 200, headers: hasCookie ? cookieHeader('', '; Max-Age=0') : {} })
    },
  }
}
