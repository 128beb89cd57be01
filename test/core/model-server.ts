import type { RefreshRequest } from '../../src/core/options.ts'
import type { TokenResponse } from '../../src/core/ports.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'
import { SECRET } from './auth-setup.ts'

/** How the token endpoint takes one refresh. */
export type Outcome =
  | { do: 'answer'; after: number }
  /** Answers, however long ago the caller has given up. */
  | { do: 'answerLate'; after: number }
  /** Breaks the connection, before or after it acted. */
  | { do: 'drop'; acted: boolean; after: number }
  | { do: 'hang'; acted: boolean }
  | { do: 'fail'; status: number; retryAfter?: number; after: number }
  /** Acts, and answers something that is no token response. */
  | { do: 'garble'; after: number }

interface Family {
  readonly user: string
  revoked: boolean
  current: string
}

interface Issued {
  readonly family: Family
  successor?: TokenResponse
}

/**
 * An authorization server with rotation and a grace window without end, and an API behind it, as plain functions on
 * virtual time. What a client must never do is collected in `violations`.
 */
export function createModelServer(clock: VirtualClock, lifetime: number) {
  const violations: string[] = []
  const refreshTokens = new Map<string, Issued>()
  const accessTokens = new Map<string, { family: Family; diesAt: number }>()
  /** Refresh tokens whose answer reached the client. */
  const answered = new Set<string>()
  const underWay = new Set<{ family: Family | undefined; token: string; aborted: boolean }>()
  let count = 0
  let outcomes: Iterator<Outcome> | undefined
  let fatalAnswers = 0

  const after = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))

  function tokensOf(family: Family): TokenResponse {
    count++
    const access_token = `${SECRET}-at-${family.user}-${count}`
    const refresh_token = `${SECRET}-rt-${family.user}-${count}`
    family.current = refresh_token
    refreshTokens.set(refresh_token, { family })
    accessTokens.set(access_token, { family, diesAt: clock.now() + lifetime })
    return { access_token, refresh_token, expires_in: lifetime / 1000, subject: family.user }
  }

  function exchange(refreshToken: string): TokenResponse {
    const issued = refreshTokens.get(refreshToken)
    if (!issued || issued.family.revoked) {
      fatalAnswers++
      throw Object.assign(new Error(`invalid refresh token ${refreshToken}`), {
        status: 400,
        data: { error: 'invalid_grant' },
      })
    }
    issued.successor ??= tokensOf(issued.family)
    return issued.successor
  }

  async function act(refreshToken: string, outcome: Outcome): Promise<TokenResponse> {
    switch (outcome.do) {
      case 'hang':
        if (outcome.acted) exchange(refreshToken)
        return new Promise(() => {})
      case 'drop':
        if (outcome.acted) exchange(refreshToken)
        await after(outcome.after)
        throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })
      case 'fail':
        await after(outcome.after)
        throw new Response(null, {
          status: outcome.status,
          headers: outcome.retryAfter === undefined ? {} : { 'retry-after': String(outcome.retryAfter) },
        })
      case 'garble':
        exchange(refreshToken)
        await after(outcome.after)
        return { error_uri: `${SECRET}-garbled` } as TokenResponse
      default: {
        const tokens = exchange(refreshToken)
        await after(outcome.after)
        return tokens
      }
    }
  }

  return {
    violations,
    get fatalAnswers() {
      return fatalAnswers
    },
    /** How the refreshes from now on go; answered at once where nothing is said. */
    follow(next: Iterator<Outcome> | undefined) {
      outcomes = next
    },

    signIn(user: string): TokenResponse {
      return tokensOf({ user, revoked: false, current: '' })
    },

    /** The exchange as another tab does it: at once, and answered. */
    siblingRefresh(refreshToken: string): TokenResponse {
      const tokens = exchange(refreshToken)
      answered.add(refreshToken)
      return tokens
    },

    async refresh({ refreshToken = '', signal }: RefreshRequest): Promise<TokenResponse> {
      if (answered.has(refreshToken))
        violations.push(`I2: ${refreshToken} was presented after it was answered`)
      const { family } = refreshTokens.get(refreshToken) ?? {}
      const call = { family, token: refreshToken, aborted: signal.aborted }
      signal.addEventListener('abort', () => {
        call.aborted = true
      })
      underWay.add(call)
      // A second try whose first one was answered after all is left to run out; nobody waits for it.
      const others = [...underWay].filter(
        (other) => other.family === family && !other.aborted && !answered.has(other.token),
      )
      if (others.length > 1) violations.push('I1: two exchanges of one session at once')
      try {
        const tokens = await act(refreshToken, outcomes?.next().value ?? { do: 'answer', after: 0 })
        if (tokens.access_token) answered.add(refreshToken)
        return tokens
      } finally {
        underWay.delete(call)
      }
    },

    /** An API endpoint: 200 for a token that works. */
    async api(authorization: string | undefined, { after: ms, picky }: { after: number; picky: boolean }) {
      await after(ms)
      const token = accessTokens.get(authorization?.replace('Bearer ', '') ?? '')
      const works = token && !token.family.revoked && clock.now() < token.diesAt
      return { status: works && !picky ? 200 : 401 }
    },

    /** Whom a header or a token belongs to. */
    userOf: (token: string) => accessTokens.get(token.replace('Bearer ', ''))?.family.user,
    isRevoked: (token: string) => accessTokens.get(token)?.family.revoked === true,

    revoke({ accessToken }: { accessToken: string }) {
      const token = accessTokens.get(accessToken)
      if (token) token.family.revoked = true
    },
    revokeAll() {
      for (const { family } of accessTokens.values()) family.revoked = true
    },
    /** Makes every access token dead before its time. */
    expireAccessTokens() {
      for (const token of accessTokens.values()) token.diesAt = 0
    },
  }
}

export type ModelServer = ReturnType<typeof createModelServer>
