import type { TokenResponse } from '../../../src/core/ports.ts'
import type { WorldClock } from './clock.ts'

/** The prefix of every secret in this world, so that one search finds them all. */
export const SECRET = 'SECRET'

/** How the token endpoint handles a refresh. */
export type EndpointBehaviour =
  | { do: 'answer' }
  /** Answers with an error before or after it has acted. */
  | { do: 'fail'; status: number; acted: boolean; retryAfter?: number }
  /** Acts, and answers with something that is not a token response. */
  | { do: 'garble' }
  /** Accepts the request, and never answers. */
  | { do: 'hang'; acted: boolean }

/** All tokens that descend from one sign-in. */
export interface Family {
  readonly name: string
  readonly user: string
  /** The wall-clock time of the sign-in. */
  readonly startedAt: number
  /** The server accepts none of its tokens. */
  revoked: boolean
}

interface Issued {
  readonly family: Family
  /** The tokens that replaced it, and when. */
  successor?: { readonly tokens: TokenResponse; readonly at: number }
}

/** A rejection for good. Like the errors of many servers, it quotes the token that was sent. */
export const refusal = (sent = '') =>
  Object.assign(new Error(`the refresh token ${sent} is not valid`), {
    status: 400,
    data: { error: 'invalid_grant' },
  })

export const brokenConnection = () => new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })

/**
 * An authorization server with rotation and reuse detection, and an API behind it. Within `grace` milliseconds, a used
 * refresh token yields its successor once more, unless the successor has been used. After that, it counts as stolen, and
 * its whole family is revoked.
 */
export function createServer({
  clock,
  lifetime,
  grace,
  cookie,
}: {
  clock: WorldClock
  lifetime: number
  grace: number
  /** Whether the refresh token is in the cookie jar of the browser instead of the answer. */
  cookie: boolean
}) {
  const refreshTokens = new Map<string, Issued>()
  const accessTokens = new Map<string, { readonly family: Family; diesAt: number }>()
  const families: Family[] = []
  let count = 0
  let behaviour: { readonly is: EndpointBehaviour; times: number } | undefined
  let jar: string | undefined

  function issue(family: Family): TokenResponse {
    count++
    const access_token = `${SECRET}-at-${family.name}-${count}`
    const refresh_token = `${SECRET}-rt-${family.name}-${count}`
    refreshTokens.set(refresh_token, { family })
    accessTokens.set(access_token, { family, diesAt: clock.uptime + lifetime })
    return {
      access_token,
      refresh_token,
      expires_in: lifetime / 1_000,
      subject: family.user,
      scope: family.name,
    }
  }

  function rotate(refreshToken: string): TokenResponse {
    const issued = refreshTokens.get(refreshToken)
    const quoted = cookie ? undefined : refreshToken
    if (!issued || issued.family.revoked) throw refusal(quoted)
    const { family, successor } = issued
    if (!successor) {
      const tokens = issue(family)
      issued.successor = { tokens, at: clock.uptime }
      return tokens
    }
    const spent = refreshTokens.get(successor.tokens.refresh_token ?? '')?.successor !== undefined
    if (!spent && clock.uptime - successor.at <= grace) return successor.tokens
    family.revoked = true
    throw refusal(quoted)
  }

  const familyOf = (token: string | undefined) =>
    (accessTokens.get(token?.replace('Bearer ', '') ?? '') ?? refreshTokens.get(token ?? ''))?.family

  return {
    families,
    familyOf,
    /** The family of a session. Its name is the scope, because the token of a session is not visible. */
    familyNamed: (scope: string | undefined) => families.find(({ name }) => name === scope),
    /** The position of a refresh token among all tokens that the server has issued. */
    orderOf: (refreshToken: string) => Number(refreshToken.slice(refreshToken.lastIndexOf('-') + 1)),
    /** Whether a refresh token has been used, so that only its successor can be used now. */
    isSpent: (refreshToken: string) => refreshTokens.get(refreshToken)?.successor !== undefined,
    /** The refresh token that a request carries in cookie mode. */
    get jar() {
      return jar
    },
    /** The part of an answer that the page can read. In cookie mode, the browser keeps the refresh token. */
    show(tokens: TokenResponse): TokenResponse {
      if (!cookie) return tokens
      const { refresh_token, ...rest } = tokens
      jar = refresh_token ?? undefined
      return rest
    },
    emptyJar() {
      jar = undefined
    },

    /** Sets the behaviour for the next refreshes. */
    behave(is: EndpointBehaviour, times: number) {
      behaviour = { is, times }
    },
    heal() {
      behaviour = undefined
    },

    signIn(user: string): TokenResponse {
      const family = { name: `${user}${families.length}`, user, startedAt: clock.now(), revoked: false }
      families.push(family)
      return issue(family)
    },

    /** Handles one refresh. Returns `undefined` if it will never answer. */
    act(refreshToken: string): { answer: TokenResponse } | { error: unknown } | undefined {
      const now: EndpointBehaviour = behaviour && behaviour.times-- > 0 ? behaviour.is : { do: 'answer' }
      if (now.do === 'fail' && !now.acted) return { error: failure(now) }
      if (now.do === 'hang' && !now.acted) return undefined
      let answer: TokenResponse
      try {
        answer = rotate(refreshToken)
      } catch (error) {
        return { error }
      }
      if (now.do === 'fail') return { error: failure(now) }
      if (now.do === 'hang') return undefined
      if (now.do === 'garble') return { answer: { error_uri: `${SECRET}-garbled` } as TokenResponse }
      return { answer }
    },

    /** Whether the API accepts that authorization. */
    accepts(authorization: string | undefined): boolean {
      const token = accessTokens.get(authorization?.replace('Bearer ', '') ?? '')
      return token !== undefined && !token.family.revoked && clock.uptime < token.diesAt
    },

    revoke(token: string) {
      const family = familyOf(token)
      if (family) family.revoked = true
    },
    /** Revokes all sessions, as an administrator can. */
    revokeAll() {
      for (const family of families) family.revoked = true
    },
    /** Expires every access token early. */
    expireAccessTokens() {
      for (const token of accessTokens.values()) token.diesAt = 0
    },
  }
}

const failure = ({ status, retryAfter }: { status: number; retryAfter?: number }) =>
  Object.assign(new Error(`answered ${status}`), {
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
  })

export type Server = ReturnType<typeof createServer>
