import { wordsIn } from './checks.ts'
import { randomHex, unsignedJwt } from './encoding.ts'
import type { Settings } from './options.ts'
import type { TokenOwner } from './routes.ts'
import type { IssuedTokens, TokenGrant } from './types.ts'

/** The grant of a sign-in. It is replaced, never changed: each token keeps the grant it was issued with. */
interface Grant {
  readonly scope: string
  readonly acr: string | undefined
  readonly authenticatedAt: number
}

interface Family {
  readonly id: number
  readonly subject: string
  readonly accessTokens: AccessToken[]
  readonly refreshTokens: RefreshToken[]
  grant: Grant
}

interface AccessToken {
  readonly family: Family
  readonly generation: number
  readonly grant: Grant
  readonly expiresAt: number
  state: 'live' | 'expired' | 'revoked'
}

interface RefreshToken {
  readonly family: Family
  readonly generation: number
  readonly parent: RefreshToken | undefined
  state: 'live' | 'rotated' | 'revoked'
  rotatedAt: number
  /** A token issued for this one was used, so another token is the previous one now. */
  superseded: boolean
}

/** The tokens of a refresh. The refresh token is missing without rotation. */
export type RefreshedTokens = Omit<IssuedTokens, 'refresh_token'> & { readonly refresh_token?: string }

/** The sessions of the token server. Each one is a family of tokens that started with one sign-in. */
export interface Sessions {
  issue(subject: string, grant?: TokenGrant): IssuedTokens
  /** Issues stronger tokens for the session of this token; undefined if the session has ended or the token is unknown. */
  stepUp(token: string, grant: TokenGrant): IssuedTokens | undefined
  /** `scope` limits the new access token. Returns 'exceeded' if it asks for more than was granted. */
  refresh(refreshToken: string, scope?: string): RefreshedTokens | 'invalid' | 'reused' | 'exceeded'
  /** Returns whether there was something to revoke. */
  revoke(token: string): boolean
  /** The owner of a token that is valid now. */
  authenticate(accessToken: string): TokenOwner | undefined
  /** The position of an access or refresh token within its session, valid or not. */
  generationOf(token: string): number | undefined
  expireAccessTokens(): void
  killRefreshTokens(): void
  isRevoked(token: string): boolean
}

const revokeFamily = (family: Family): void => {
  for (const token of [...family.accessTokens, ...family.refreshTokens]) token.state = 'revoked'
}

const union = (one: string, other: string): string =>
  [...new Set([...wordsIn(one), ...wordsIn(other)])].join(' ')

export const createSessions = (settings: Settings): Sessions => {
  const { accessTokenLifetime, clockSkew, jwt, now, previousAccessTokenDies, reuseGrace, rotate } = settings
  const accessTokens = new Map<string, AccessToken>()
  const refreshTokens = new Map<string, RefreshToken>()
  let families = 0

  const find = (value: string) => refreshTokens.get(value) ?? accessTokens.get(value)

  const claimsFor = (family: Family, { scope, acr, authenticatedAt }: Grant) => {
    const issuedAt = now() + clockSkew
    return {
      iat: issuedAt / 1000,
      exp: (issuedAt + accessTokenLifetime) / 1000,
      sub: family.subject,
      ...(scope !== '' && { scope }),
      ...(acr !== undefined && { acr, auth_time: (authenticatedAt + clockSkew) / 1000 }),
    }
  }

  const mintAccess = (family: Family, scope = family.grant.scope): RefreshedTokens => {
    const generation = family.accessTokens.length + 1
    const grant = { ...family.grant, scope }
    const marker = `at-${family.id}-${generation}-${randomHex()}`
    const value = jwt ? unsignedJwt(claimsFor(family, grant), marker) : marker
    const expiresAt = now() + accessTokenLifetime
    const token: AccessToken = { family, generation, grant, expiresAt, state: 'live' }
    family.accessTokens.push(token)
    accessTokens.set(value, token)
    return {
      access_token: value,
      expires_in: accessTokenLifetime / 1000,
      token_type: 'Bearer',
      ...(scope !== '' && { scope }),
    }
  }

  const mintRefresh = (family: Family, parent?: RefreshToken): string => {
    const generation = family.refreshTokens.length + 1
    const value = `rt-${family.id}-${generation}-${randomHex()}`
    const token: RefreshToken = { family, generation, parent, state: 'live', rotatedAt: 0, superseded: false }
    family.refreshTokens.push(token)
    refreshTokens.set(value, token)
    return value
  }

  const mintBoth = (family: Family): IssuedTokens => ({
    ...mintAccess(family),
    refresh_token: mintRefresh(family),
  })

  const inGrace = (token: RefreshToken): boolean => !token.superseded && now() - token.rotatedAt < reuseGrace

  const markRotated = (token: RefreshToken): void => {
    if (token.state === 'rotated') return
    token.state = 'rotated'
    token.rotatedAt = now()
    if (token.parent) token.parent.superseded = true
  }

  return {
    issue: (subject, { scope = settings.scope, acr } = {}) => {
      families += 1
      const grant = { scope, acr, authenticatedAt: now() }
      return mintBoth({ id: families, subject, accessTokens: [], refreshTokens: [], grant })
    },

    stepUp: (value, { scope = '', acr }) => {
      const family = find(value)?.family
      if (!family?.refreshTokens.some(({ state }) => state === 'live')) return undefined
      const { grant } = family
      family.grant = {
        scope: union(grant.scope, scope),
        acr: acr ?? grant.acr,
        authenticatedAt: now(),
      }
      return mintBoth(family)
    },

    refresh: (refreshToken, scope) => {
      const token = refreshTokens.get(refreshToken)
      if (!token || token.state === 'revoked') return 'invalid'
      const { family } = token
      if (token.state === 'rotated' && !inGrace(token)) {
        revokeFamily(family)
        return 'reused'
      }
      if (scope !== undefined && union(family.grant.scope, scope) !== family.grant.scope) return 'exceeded'
      if (previousAccessTokenDies) {
        for (const older of family.accessTokens) older.state = 'revoked'
      }
      if (!rotate) return mintAccess(family, scope)
      markRotated(token)
      return { ...mintAccess(family, scope), refresh_token: mintRefresh(family, token) }
    },

    revoke: (value) => {
      const token = find(value)
      if (!token || token.state === 'revoked') return false
      if (refreshTokens.has(value)) revokeFamily(token.family)
      else token.state = 'revoked'
      return true
    },

    authenticate: (accessToken) => {
      const token = accessTokens.get(accessToken)
      if (token?.state !== 'live' || now() >= token.expiresAt) return undefined
      return { subject: token.family.subject, generation: token.generation, ...token.grant }
    },

    generationOf: (value) => find(value)?.generation,

    expireAccessTokens: () => {
      for (const token of accessTokens.values()) if (token.state === 'live') token.state = 'expired'
    },

    killRefreshTokens: () => {
      for (const token of refreshTokens.values()) token.state = 'revoked'
    },

    isRevoked: (value) => find(value)?.state === 'revoked',
  }
}
