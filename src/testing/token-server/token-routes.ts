import type { Exchange } from './exchange.ts'
import { bodyParameters, cookieValue } from './exchange.ts'
import { jsonReply, oauthError } from './replies.ts'
import type { RefreshedTokens, Sessions } from './sessions.ts'
import type { TokenServerCounters } from './types.ts'

type BodyParameters = ReadonlyMap<string, string>
/** The counters as the server itself writes them. */
export type MutableCounters = { -readonly [Name in keyof TokenServerCounters]: TokenServerCounters[Name] }

/** What `POST /token` and `POST /revoke` do to the sessions. Both act synchronously, hence atomically. */
export interface TokenRoutes {
  token(exchange: Exchange): Response
  revoke(exchange: Exchange): Response
}

const tokenReply = (tokens: RefreshedTokens, parameters: BodyParameters): Response => {
  if (parameters.get('cookie') !== '1') return jsonReply(200, tokens)
  const { refresh_token: refreshToken, ...rest } = tokens
  if (refreshToken === undefined) return jsonReply(200, rest)
  const cookie = `refresh_token=${refreshToken}; HttpOnly; SameSite=Strict; Path=/token`
  return jsonReply(200, rest, { 'set-cookie': cookie })
}

export const createTokenRoutes = (sessions: Sessions, counters: MutableCounters): TokenRoutes => {
  const refresh = (exchange: Exchange, parameters: BodyParameters): Response => {
    const presented = parameters.get('refresh_token') ?? cookieValue(exchange.request, 'refresh_token')
    if (!presented) return oauthError('invalid_request', 'There is no refresh token')
    const outcome = sessions.refresh(presented)
    if (outcome === 'reused') {
      counters.reuseDetections += 1
      return oauthError('invalid_grant', 'The refresh token was used before')
    }
    if (outcome === 'invalid') return oauthError('invalid_grant', 'The refresh token is unknown or revoked')
    counters.refreshes += 1
    return tokenReply(outcome, parameters)
  }

  const signIn = (parameters: BodyParameters): Response => {
    const username = parameters.get('username')
    if (!username) return oauthError('invalid_request', 'There is no username')
    if (parameters.get('password') !== 'correct') return oauthError('invalid_grant', 'Wrong password')
    return tokenReply(sessions.issue(username), parameters)
  }

  return {
    token: (exchange) => {
      const parameters = bodyParameters(exchange)
      if (!parameters) return oauthError('invalid_request', 'The body is not a JSON object')
      const grantType = parameters.get('grant_type')
      if (grantType === 'refresh_token') return refresh(exchange, parameters)
      if (grantType === 'password') return signIn(parameters)
      if (!grantType) return oauthError('invalid_request', 'There is no grant_type')
      return oauthError('unsupported_grant_type', 'Only refresh_token and password are supported')
    },

    revoke: (exchange) => {
      const token = bodyParameters(exchange)?.get('token')
      if (!token) return oauthError('invalid_request', 'There is no token')
      if (sessions.revoke(token)) counters.revocations += 1
      // Unknown tokens are no error (RFC 7009 section 2.2).
      return new Response(null, { status: 200 })
    },
  }
}
