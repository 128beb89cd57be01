/**
 * Back-channel logout for servers: checks the tokens by which a provider ends sessions.
 *
 * @module
 */
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { OAuthError } from '../core/errors.ts'
import { readText } from '../core/session/response-body.ts'
import { Connection, TOLERANCE } from './connection.ts'
import { explainClient } from './explain.ts'
import { described, oauthError } from './failure.ts'
import type { ServerOptions } from './options.ts'

export { OAuthError } from '../core/errors.ts'

/** How soon the keys are requested again for a token with an unknown one, in milliseconds: the server may just have changed its key. */
const COOL_DOWN = 1_000
/** What is wrong with the keys, and not with the token. */
const OF_KEYS = /^ERR_(JOSE_GENERIC|JWKS_TIMEOUT|JWKS_INVALID)$/

/** How old a token may be, in seconds, beside what the clocks differ by. */
const AGE = 120
/** How long a token is remembered, in milliseconds: longer than it is accepted, whether the clock is late or early. */
const REMEMBERED = (AGE + 2 * TOLERANCE + 60) * 1_000

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** The longest token and the longest name that are accepted, in characters. */
const LONGEST_TOKEN = 16_384
const LONGEST_NAME = 255

/** Whose sessions end: all of a user, or one of them. At least one of the two is there. */
export interface LogoutClaims {
  /** The user, as the server names them. */
  readonly subject: string | undefined
  /** The session at the server: the claim `sid` of its ID tokens. */
  readonly sid: string | undefined
}

/** Options of `createLogoutVerifier`. */
export interface LogoutVerifierOptions
  extends Pick<ServerOptions, 'issuer' | 'server' | 'clientId' | 'allowInsecure' | 'fetch' | 'clock'> {
  /** Whether a token is remembered, by any process: `EXISTS key`. If it throws, the provider tries again. */
  readonly isRemembered: (key: string) => boolean | PromiseLike<boolean>
  /** Remembers a token for that many milliseconds, for all processes, after its sessions have ended: `SET key 1 PX lifetime`. */
  readonly remember: (key: string, lifetime: number) => unknown
}

/** Made by `createLogoutVerifier`. */
export interface LogoutVerifier {
  /**
   * Checks a logout token (OpenID Connect Back-Channel Logout §2.6), ends its sessions, and then remembers it, so that it is
   * refused from then on.
   *
   * @param token the form field `logout_token`
   * @param end ends the sessions; if it fails, the token is accepted again. The same token may come twice at the same time
   * @throws OAuthError `invalid_logout_token`, `already_used`, or `discovery_failed` and `network` if the keys cannot be read
   */
  verify(token: string, end: (claims: LogoutClaims) => unknown): Promise<LogoutClaims>

  /** Answers a request of the provider: with 200 when the sessions are ended, 400 for a wrong token, or 503 to try again. */
  handle(request: Request, end: (claims: LogoutClaims) => unknown): Promise<Response>
}

/**
 * Creates the check of logout tokens. It requests the keys of the server when they are first needed, and keeps them.
 *
 * @example
 * ```ts
 * const logout = createLogoutVerifier({ issuer, clientId, isRemembered, remember })
 * const answer = await logout.handle(request, ({ subject, sid }) => sessions.end({ subject, sid }))
 * ```
 *
 * @see OpenID Connect Back-Channel Logout 1.0
 */
export function createLogoutVerifier(options: LogoutVerifierOptions): LogoutVerifier {
  explainClient('createLogoutVerifier', options)
  const connection = new Connection(options)
  const { isRemembered, remember } = options
  let keys: { readonly uri: string; readonly find: JWTVerifyGetKey } | undefined

  function keysAt(uri: string | undefined): JWTVerifyGetKey {
    if (!uri) throw oauthError('discovery_failed')
    if (keys?.uri !== uri) {
      const find = createRemoteJWKSet(connection.assertSecure(uri), {
        [customFetch]: connection.fetch,
        cooldownDuration: COOL_DOWN,
      })
      keys = { uri, find }
    }
    return keys.find
  }

  async function claimsOf(token: string) {
    if (token.length > LONGEST_TOKEN) throw invalid()
    const server = await connection.server()
    try {
      const { payload } = await jwtVerify(token, keysAt(server.jwks_uri), {
        issuer: server.issuer,
        // As a list: without a client ID, jose would take tokens for all clients.
        audience: [options.clientId],
        typ: 'logout+jwt',
        requiredClaims: ['iat', 'jti'],
        maxTokenAge: AGE,
        clockTolerance: TOLERANCE,
        currentDate: new Date(connection.clock.now()),
      })
      return payload
    } catch (error) {
      // The keys may be at another address by now.
      connection.renewServer()
      if (error instanceof OAuthError) throw error
      const isInvalid = error instanceof errors.JOSEError && !OF_KEYS.test(error.code)
      throw isInvalid ? invalid(error) : oauthError('network', described(error))
    }
  }

  async function verify(token: string, end: (claims: LogoutClaims) => unknown): Promise<LogoutClaims> {
    const { jti, sub, sid, events, nonce } = await claimsOf(token)
    const event: unknown = Object(events)[EVENT]
    const isEvent = typeof event === 'object' && event !== null
    const claims = { subject: name(sub), sid: name(sid) }
    const key = name(jti)
    // An ID token has a nonce: it must not be taken for a logout token.
    if (!key || !isEvent || nonce !== undefined || (!claims.subject && !claims.sid)) throw invalid()
    if (await isRemembered(key)) throw oauthError('already_used')
    // Not remembered before the end: if the database fails in between, no attempt of the provider would end the sessions.
    await end(claims)
    await remember(key, REMEMBERED)
    return claims
  }

  return {
    verify,
    async handle(request, end) {
      try {
        const body = await readText(request, request.signal, false)
        await verify(new URLSearchParams(body).get('logout_token') ?? '', end)
        return answer(200)
      } catch (error) {
        const { reason } = Object(error) as { reason?: unknown }
        return answer(reason === 'invalid_logout_token' || reason === 'already_used' ? 400 : 503)
      }
    },
  }
}

const invalid = (error?: unknown) => oauthError('invalid_logout_token', error && described(error))

const name = (value: unknown) =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME ? value : undefined

/** No cache may keep the answer (§2.8). */
const answer = (status: number) =>
  new Response(status === 400 ? '{"error":"invalid_request"}' : null, {
    status,
    headers: { 'cache-control': 'no-store', ...(status === 400 && { 'content-type': 'application/json' }) },
  })
