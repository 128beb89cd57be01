import { randomHex, unsignedJwt } from './encoding.ts'
import type { IssuedTokens, TokenServerOptions } from './types.ts'

interface Family {
  readonly id: number
  readonly subject: string
  readonly accessTokens: AccessToken[]
  readonly refreshTokens: RefreshToken[]
}

interface AccessToken {
  readonly family: Family
  readonly generation: number
  readonly expiresAt: number
  state: 'live' | 'expired' | 'revoked'
}

interface RefreshToken {
  readonly family: Family
  readonly parent: RefreshToken | undefined
  state: 'live' | 'rotated' | 'revoked'
  rotatedAt: number
  /** A token that came out of this one has been used, so this one is no longer the previous token. */
  superseded: boolean
}

/** The answer to a refresh. Without rotation it has no refresh token. */
export type RefreshedTokens = Omit<IssuedTokens, 'refresh_token'> & { readonly refresh_token?: string }

/** The sessions of the token server: each one a family of tokens that descend from one sign-in. */
export interface Sessions {
  issue(subject: string): IssuedTokens
  refresh(refreshToken: string): RefreshedTokens | 'invalid' | 'reused'
  /** Whether there was something to revoke. */
  revoke(token: string): boolean
  /** The owner of a token that is good now. */
  authenticate(accessToken: string): { readonly subject: string; readonly generation: number } | undefined
  generationOf(accessToken: string): number | undefined
  expireAccessTokens(): void
  killRefreshTokens(): void
  isRevoked(token: string): boolean
}

const revokeFamily = (family: Family): void => {
  for (const token of [...family.accessTokens, ...family.refreshTokens]) token.state = 'revoked'
}

export const createSessions = (options: Required<TokenServerOptions>): Sessions => {
  const { accessTokenLifetime, clockSkew, jwt, now, previousAccessTokenDies, reuseGrace, rotate } = options
  const accessTokens = new Map<string, AccessToken>()
  const refreshTokens = new Map<string, RefreshToken>()
  let families = 0

  const mintAccess = (family: Family): RefreshedTokens => {
    const generation = family.accessTokens.length + 1
    const marker = `at-${family.id}-${generation}-${randomHex()}`
    const issuedAt = now() + clockSkew
    const claims = { iat: issuedAt / 1000, exp: (issuedAt + accessTokenLifetime) / 1000, sub: family.subject }
    const value = jwt ? unsignedJwt(claims, marker) : marker
    const token: AccessToken = { family, generation, expiresAt: now() + accessTokenLifetime, state: 'live' }
    family.accessTokens.push(token)
    accessTokens.set(value, token)
    return { access_token: value, expires_in: accessTokenLifetime / 1000, token_type: 'Bearer' }
  }

  const mintRefresh = (family: Family, parent?: RefreshToken): string => {
    const value = `rt-${family.id}-${family.refreshTokens.length + 1}-${randomHex()}`
    const token: RefreshToken = { family, parent, state: 'live', rotatedAt: 0, superseded: false }
    family.refreshTokens.push(token)
    refreshTokens.set(value, token)
    return value
  }

  const inGrace = (token: RefreshToken): boolean => !token.superseded && now() - token.rotatedAt < reuseGrace

  const markRotated = (token: RefreshToken): void => {
    if (token.state === 'rotated') return
    token.state = 'rotated'
    token.rotatedAt = now()
    if (token.parent) token.parent.superseded = true
  }

  return {
    issue: (subject) => {
      families += 1
      const family: Family = { id: families, subject, accessTokens: [], refreshTokens: [] }
      return { ...mintAccess(family), refresh_token: mintRefresh(family) }
    },

    refresh: (refreshToken) => {
      const token = refreshTokens.get(refreshToken)
      if (!token || token.state === 'revoked') return 'invalid'
      if (token.state === 'rotated' && !inGrace(token)) {
        revokeFamily(token.family)
        return 'reused'
      }
      if (previousAccessTokenDies) {
        for (const older of token.family.accessTokens) older.state = 'revoked'
      }
      if (!rotate) return mintAccess(token.family)
      markRotated(token)
      return { ...mintAccess(token.family), refresh_token: mintRefresh(token.family, token) }
    },

    revoke: (value) => {
      const token = refreshTokens.get(value) ?? accessTokens.get(value)
      if (!token || token.state === 'revoked') return false
      if (refreshTokens.has(value)) revokeFamily(token.family)
      else token.state = 'revoked'
      return true
    },

    authenticate: (accessToken) => {
      const token = accessTokens.get(accessToken)
      if (token?.state !== 'live' || now() >= token.expiresAt) return undefined
      return { subject: token.family.subject, generation: token.generation }
    },

    generationOf: (accessToken) => accessTokens.get(accessToken)?.generation,

    expireAccessTokens: () => {
      for (const token of accessTokens.values()) if (token.state === 'live') token.state = 'expired'
    },

    killRefreshTokens: () => {
      for (const token of refreshTokens.values()) token.state = 'revoked'
    },

    isRevoked: (value) => (refreshTokens.get(value) ?? accessTokens.get(value))?.state === 'revoked',
  }
}
