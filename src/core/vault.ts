import type { TokenFacts } from '../../machines/index.ts'
import type { SessionRecord } from './ports.ts'
import { jwtClaims, type Tokens } from './token-response.ts'

/** What a request is sent with: enough to tell later which token a 401 was about. */
export interface Pass {
  /** The `Authorization` header, or `undefined` where nobody is signed in. */
  readonly authorization: string | undefined
  readonly epoch: number
  readonly generation: number
}

/** What an app may know of its session: everything but the tokens. */
export interface Session<Claims = Readonly<Record<string, unknown>>> {
  readonly subject?: string
  /** Claims of the ID token, or of an access token that is a JWT. Unverified: for display, not for decisions. */
  readonly claims?: Claims
  readonly scope?: string
  /** When the access token dies, in milliseconds since the Unix epoch; `undefined`: not known. */
  readonly expiresAt: number | undefined
  readonly generation: number
  readonly epoch: number
}

/** What the vault held when an exchange or a sign-in began, and must still hold when it ends. */
export interface Mark {
  readonly epoch: number
  readonly change: number
}

interface Sealed extends Tokens {
  readonly id: string
  readonly rotation: number
  readonly startedAt: number
}

/**
 * The only holder of tokens. Everything outside sees passes, facts and sessions. A write says what it expects to find
 * and fails where that is gone, so a result that comes late can never bring a session back.
 */
export function createVault({
  renewAt,
  now,
  cookie = false,
}: {
  renewAt: (tokens: Tokens) => number | undefined
  now: () => number
  /** Whether refresh tokens may be in a cookie. */
  cookie?: boolean
}) {
  let epoch = 0
  let generation = 0
  /** Grows with everything that happens to the tokens. */
  let change = 0
  let sealed: Sealed | undefined
  let session: Session | undefined
  let pass: Pass | undefined
  /** The session before this one, for requests that were made in it. */
  let predecessor: { epoch: number; subject: string | undefined; expired: boolean } | undefined
  let anonymous: Pass | undefined
  let usedAt: number | undefined
  /** When the newest session began that was seen. */
  let newest = Number.NEGATIVE_INFINITY

  function seal(next: Sealed) {
    sealed = next
    if (next.refreshToken !== undefined) cookie = false
    generation++
    change++
    const { subject, claims, scope, expiresAt } = next
    pass =
      next.accessToken === undefined
        ? undefined
        : Object.freeze({ authorization: `Bearer ${next.accessToken}`, epoch, generation })
    session = Object.freeze({
      ...(subject !== undefined && { subject }),
      ...(claims && { claims }),
      ...(scope !== undefined && { scope }),
      expiresAt,
      generation,
      epoch,
    })
    return facts()
  }

  function unseal(expired: boolean) {
    const erased = sealed
    if (erased) predecessor = { epoch, subject: erased.subject, expired }
    sealed = session = pass = undefined
    change++
    return erased
  }

  function begin(next: Sealed, lastUse?: number) {
    unseal(false)
    newest = Math.max(newest, next.startedAt)
    usedAt = lastUse
    epoch++
    return seal(next)
  }

  function facts(): TokenFacts {
    return {
      epoch,
      generation,
      expiresAt: sealed?.expiresAt,
      renewAt: sealed && renewAt(sealed),
      renewable: (sealed?.refreshTokenExpiresAt ?? Number.POSITIVE_INFINITY) > now(),
    }
  }

  return {
    get epoch() {
      return epoch
    },
    get generation() {
      return generation
    },
    get tokens(): Tokens | undefined {
      return sealed
    },
    /** Names the sign-in that the tokens descend from. */
    get id() {
      return sealed?.id
    },
    get startedAt() {
      return sealed?.startedAt
    },
    /** Whether the refresh token is in a cookie, as far as is known: none was ever seen. */
    get isInCookie() {
      return cookie
    },
    /** How often the tokens were renewed, by whomever. */
    get rotation() {
      return sealed?.rotation
    },
    /** When a session that was taken over had last been used; `undefined` where it is used by being begun. */
    get usedAt() {
      return usedAt
    },
    get session() {
      return session
    },
    get pass() {
      return pass
    },
    get anonymousPass(): Pass {
      if (anonymous?.epoch !== epoch || anonymous.generation !== generation) {
        anonymous = Object.freeze({ authorization: undefined, epoch, generation })
      }
      return anonymous
    },
    facts,
    mark: (): Mark => ({ epoch, change }),
    isCurrent: (mark: Mark) => mark.change === change,
    /** Makes every mark out of date: what was read or asked before now is about a session that is over elsewhere. */
    invalidate() {
      change++
    },

    /** A sign-in: a new epoch. */
    begin: (tokens: Tokens) =>
      begin({
        ...tokens,
        id: Math.random().toString(36).slice(2),
        rotation: 0,
        // Two in one millisecond, or with the clock set back between them, are still one after the other.
        startedAt: Math.max(tokens.receivedAt, newest + 1),
      }),

    /** A renewal, unless the session is no longer what it was at `mark`. */
    renew(mark: Mark, tokens: Tokens): TokenFacts | undefined {
      if (mark.change !== change) return undefined
      const { subject } = tokens
      // A cookie of somebody else, who signed in elsewhere meanwhile: requests that were made for one are not the other's.
      const other = sealed?.subject !== undefined && subject !== undefined && subject !== sealed.subject
      if (!sealed || other) return this.begin(tokens)
      return seal({ ...sealed, ...tokens, rotation: sealed.rotation + 1 })
    },

    /** Takes a stored record over where it is newer than what is held; tells whether it is another sign-in. */
    adopt(
      record: SessionRecord,
      /** When the session was last used, where that is known. */
      lastUse?: number,
    ): { facts: TokenFacts; renewal: boolean } | undefined {
      const next = open(record)
      if (!sealed) return { facts: begin(next, lastUse), renewal: false }
      if (record.id === sealed.id) {
        if (record.rotation <= sealed.rotation) return undefined
        if (record.accessToken !== null) return { facts: seal(next), renewal: true }
        // The access token at hand is as good as before; only what the next exchange presents is another.
        const { rotation, refreshToken, refreshTokenExpiresAt } = next
        sealed = { ...sealed, rotation, refreshToken, refreshTokenExpiresAt }
        return undefined
      }
      return record.startedAt > sealed.startedAt ? { facts: begin(next, lastUse), renewal: false } : undefined
    },

    /** The session ended by itself. */
    erase: () => unseal(true),

    /** The user left: a new epoch. Gives the tokens to revoke. */
    dismiss() {
      const erased = unseal(false)
      epoch++
      predecessor = undefined
      return erased
    },

    /** The epoch a request belongs to that is made now; -1: to nobody yet. */
    owner: () => (sealed ? epoch : predecessor?.expired ? predecessor.epoch : -1),

    /** Whether a request of that epoch may be sent for who is signed in now. */
    mayServe(owner: number): boolean {
      if (owner === -1 || owner === epoch) return true
      if (owner !== predecessor?.epoch || !sealed) return false
      // Two unknown users are the same only where the session ended by itself and the app chose to wait for its return.
      return predecessor.subject === sealed.subject && (sealed.subject !== undefined || predecessor.expired)
    },

    record(withoutAccess = false): SessionRecord | undefined {
      if (!sealed) return undefined
      const {
        claims: _,
        accessToken = null,
        ...rest
      } = withoutAccess
        ? { ...sealed, accessToken: undefined, idToken: undefined, expiresAt: undefined }
        : sealed
      // JSON drops what is undefined; the record type promises that it is absent.
      return { version: 1, accessToken, ...(rest as Omit<SessionRecord, 'version' | 'accessToken'>) }
    },

    /** Every secret at hand, to be taken out of texts. */
    secrets: () => [sealed?.accessToken, sealed?.refreshToken, sealed?.idToken],
  }
}

export type Vault = ReturnType<typeof createVault>

function open(record: SessionRecord): Sealed {
  const { version: _, accessToken, ...rest } = record
  const jwt = record.idToken ?? accessToken
  const claims = jwt === null ? undefined : jwtClaims(jwt)
  return {
    refreshToken: undefined,
    idToken: undefined,
    expiresAt: undefined,
    refreshTokenExpiresAt: undefined,
    scope: undefined,
    subject: undefined,
    ...rest,
    accessToken: accessToken ?? undefined,
    // What is not there is as good as dead.
    ...(accessToken === null && { expiresAt: 0 }),
    claims,
  }
}
