import type { TokenResponse } from '../../../src/core/ports.ts'
import type { WorldClock } from './clock.ts'

/** What every secret of this world begins with, so that one search finds them all. */
export const SECRET = 'SECRET'

/** How the token endpoint takes an exchange. */
export type Manner =
  | { do: 'answer' }
  /** Answers an error before or after it acted. */
  | { do: 'fail'; status: number; acted: boolean; retryAfter?: number }
  /** Acts, and answers something that is no token response. */
  | { do: 'garble' }
  /** Takes the request, and never answers. */
  | { do: 'hang'; acted: boolean }

/** All tokens that descend from one sign-in. */
export interface Family {
  readonly name: string
  readonly user: string
  /** Dead on the server. */
  revoked: boolean
}

interface Issued {
  readonly family: Family
  /** What it was exchanged for, and when. */
  successor?: { readonly tokens: TokenResponse; readonly at: number }
}

/** A refusal that no repetition changes. Like many a server's, it quotes the token that was sent. */
export const refusal = (sent = '') =>
  Object.assign(new Error(`the refresh token ${sent} is dead`), {
    status: 400,
    data: { error: 'invalid_grant' },
  })

export const brokenConnection = () => new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })

/**
 * An authorization server with rotation and reuse detection, and an API behind it. A spent refresh token is good for its
 * successor once more within `grace` milliseconds, while that one is unspent; after that it is a theft, and all of its
 * family die.
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
  /** The refresh token lives in the browser's cookie jar, and in no answer. */
  cookie: boolean
}) {
  const refreshTokens = new Map<string, Issued>()
  const accessTokens = new Map<string, { readonly family: Family; diesAt: number }>()
  const families: Family[] = []
  let count = 0
  let manner: { readonly is: Manner; times: number } | undefined
  let thefts = 0
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

  function exchange(refreshToken: string): TokenResponse {
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
    thefts++
    family.revoked = true
    throw refusal(quoted)
  }

  const familyOf = (token: string | undefined) =>
    (accessTokens.get(token?.replace('Bearer ', '') ?? '') ?? refreshTokens.get(token ?? ''))?.family

  return {
    families,
    familyOf,
    /** A session says by its scope which family it is of: a token would have to be seen for that. */
    familyNamed: (scope: string | undefined) => families.find(({ name }) => name === scope),
    /** How often a spent refresh token was presented for good. */
    get thefts() {
      return thefts
    },
    /** The refresh token that goes along with a request in cookie mode. */
    get jar() {
      return jar
    },
    /** What of an answer the page sees; the browser keeps the rest. */
    show(tokens: TokenResponse): TokenResponse {
      if (!cookie) return tokens
      const { refresh_token, ...rest } = tokens
      jar = refresh_token ?? undefined
      return rest
    },
    emptyJar() {
      jar = undefined
    },

    /** How the next exchanges go. */
    behave(is: Manner, times: number) {
      manner = { is, times }
    },
    heal() {
      manner = undefined
    },

    signIn(user: string): TokenResponse {
      const family = { name: `${user}${families.length}`, user, revoked: false }
      families.push(family)
      return issue(family)
    },

    /** Takes one exchange; gives nothing where it will never answer. */
    act(refreshToken: string): { answer: TokenResponse } | { error: unknown } | undefined {
      const now: Manner = manner && manner.times-- > 0 ? manner.is : { do: 'answer' }
      if (now.do === 'fail' && !now.acted) return { error: failure(now) }
      if (now.do === 'hang' && !now.acted) return undefined
      let answer: TokenResponse
      try {
        answer = exchange(refreshToken)
      } catch (error) {
        return { error }
      }
      if (now.do === 'fail') return { error: failure(now) }
      if (now.do === 'hang') return undefined
      if (now.do === 'garble') return { answer: { error_uri: `${SECRET}-garbled` } as TokenResponse }
      return { answer }
    },

    /** Whether an API request may pass. */
    accepts(authorization: string | undefined): boolean {
      const token = accessTokens.get(authorization?.replace('Bearer ', '') ?? '')
      return token !== undefined && !token.family.revoked && clock.uptime < token.diesAt
    },

    revoke(token: string) {
      const family = familyOf(token)
      if (family) family.revoked = true
    },
    /** Ends everybody's sessions, as an administrator does. */
    revokeAll() {
      for (const family of families) family.revoked = true
    },
    /** Makes every access token dead before its time. */
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
