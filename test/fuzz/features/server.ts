import type { RefreshRequest } from '../../../src/core/options.ts'
import type { TokenResponse } from '../../../src/core/ports.ts'
import type { Challenge } from '../../../src/core/requests/challenge.ts'
import type { VirtualClock } from '../../../src/testing/virtual-clock.ts'
import { refused } from '../../core/auth-setup.ts'
import { SECRET } from '../session.ts'
import type { Pace } from './plan.ts'

/** What the API answers. */
export interface Answer {
  readonly status: number
}

interface Grant {
  readonly user: string
  readonly scope: string
}

interface AccessToken extends Grant {
  readonly expiresAt: number
}

/** Gives the values in turns, again and again. */
export function inTurns<T>(values: readonly T[]): () => T {
  let turn = 0
  return () => values[turn++ % values.length] as T
}

/** Resolves after some milliseconds of virtual time. */
export const sleep = (clock: VirtualClock, ms: number) =>
  new Promise<void>((resolve) => {
    clock.setTimeout(resolve, ms)
  })

/** A token server, and an API that accepts its tokens. Users sign in by their names. */
export function createServer(clock: VirtualClock, pace: Pace, tokenType: 'Bearer' | 'DPoP') {
  const accessTokens = new Map<string, AccessToken>()
  const refreshTokens = new Map<string, Grant>()
  const users = new Map<string | undefined, string>()
  const nextLifetime = inTurns(pace.lifetime)
  const refreshTakes = inTurns(pace.refresh)
  const signInTakes = inTurns(pace.signIn)
  let issued = 0
  let failures = 0

  function issue(user: string, scope = 'read', lifetime = nextLifetime()): TokenResponse {
    const accessToken = `${SECRET}-at-${++issued}`
    const refreshToken = `${SECRET}-rt-${issued}`
    accessTokens.set(accessToken, { user, scope, expiresAt: clock.now() + lifetime * 1000 })
    refreshTokens.set(refreshToken, { user, scope })
    users.set(accessToken, user)
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: lifetime,
      token_type: tokenType,
      scope,
      subject: user,
    }
  }

  return {
    issue,
    async signIn(user: string): Promise<TokenResponse> {
      await sleep(clock, signInTakes())
      return issue(user)
    },
    /** Each refresh token works once. */
    async refresh({ refreshToken = '' }: RefreshRequest): Promise<TokenResponse> {
      await sleep(clock, refreshTakes())
      if (failures > 0) {
        failures--
        throw new TypeError('fetch failed')
      }
      const grant = refreshTokens.get(refreshToken)
      if (!grant) throw refused()
      refreshTokens.delete(refreshToken)
      return issue(grant.user, grant.scope)
    },
    failRefreshes(times: number) {
      failures = times
    },
    /** Whose access token that is, even if it was revoked. */
    userOf: (accessToken: string | undefined) => users.get(accessToken),
    revokeAccessTokens: () => accessTokens.clear(),
    revokeRefreshTokens: () => refreshTokens.clear(),
    /** What the API answers to a request with that token. */
    answer(endpoint: string, accessToken: string | undefined): Answer {
      if (accessToken === undefined) return { status: 200 }
      const token = accessTokens.get(accessToken)
      if (!token || token.expiresAt <= clock.now() || endpoint === 'sick') return { status: 401 }
      return { status: endpoint === 'admin' && !token.scope.includes('admin') ? 403 : 200 }
    },
  }
}

export type Server = ReturnType<typeof createServer>

/** What a refusal of the API asks for. */
export function challengeOf({ status }: Answer): Challenge | undefined {
  if (status === 401) return 'refresh'
  return status === 403 ? { scope: 'admin' } : undefined
}
