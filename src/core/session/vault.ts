import {
  compareUsers,
  isReached,
  type Lineage,
  mayServe,
  type Predecessor,
  refreshTime,
  requestOwner,
} from '../../../machines/policies.ts'
import type { TokenFacts } from '../../../machines/vocabulary.ts'
import type { Clock, Session } from '../ports.ts'
import { LAST_INSTANT, type Tokens } from './token-response.ts'

/** What a request is sent with: enough to know later which token a 401 was about. */
export interface Credential {
  /** The `Authorization` header; `undefined` if no user is signed in. */
  readonly authorization: string | undefined
  readonly epoch: number
  readonly generation: number
  /** The key that its token is bound to: that of the tokens in the vault may already be another. */
  readonly proofKey?: object | undefined
}

/** The state of the vault when some work began. A commit is made only if the vault has not changed since. */
export interface Mark {
  readonly epoch: number
  readonly revision: number
}

/** A token set with the sign-in that it descends from. */
export interface HeldTokens extends Tokens, Lineage {}

/**
 * The only holder of tokens in memory. Other parts see credentials, facts and sessions. A write states what it expects to
 * find and fails if that has changed, so a late result can never bring a session back.
 */
export class Vault {
  readonly #clock: Clock
  readonly #refreshAhead: number | undefined
  readonly #singleUser: boolean
  #epoch = 0
  #generation = 0
  /** Grows with every change of the tokens. */
  #revision = 0
  #held: HeldTokens | undefined
  #session: Session | undefined
  #credential: Credential | undefined
  /** Whether requests use the current tokens. */
  #isPublished = false
  #predecessor: Predecessor | undefined
  /** Start of the newest session that was seen. */
  #newestStart = Number.NEGATIVE_INFINITY
  #lastUse: number | undefined
  /** The epoch of the last session whose end revokes nothing. */
  #sparedEpoch: number | undefined
  #isInCookie: boolean
  /** Whether a sign-in is in progress, which may change the cookie. */
  isSigningIn = false

  /**
   * @param mayBeInCookie whether refresh tokens may be in a cookie
   * @param singleUser whether two unknown users are the same
   */
  constructor(clock: Clock, refreshAhead?: number, mayBeInCookie = false, singleUser = false) {
    this.#clock = clock
    this.#refreshAhead = refreshAhead
    this.#singleUser = singleUser
    this.#isInCookie = mayBeInCookie
  }

  get epoch(): number {
    return this.#epoch
  }

  get generation(): number {
    return this.#generation
  }

  get tokens(): HeldTokens | undefined {
    return this.#held
  }

  /** The session that is held, or the one that expired last. */
  get lineage(): Lineage | undefined {
    return this.#held ?? this.#predecessor
  }

  /** Whether a session that started then is newer than all that were seen. */
  isNews(startedAt: number): boolean {
    return startedAt > this.#newestStart
  }

  /** Whether the refresh token is in a cookie, as far as is known: none was ever received. */
  get isInCookie(): boolean {
    return this.#isInCookie
  }

  /** Whether the cookie belongs to a session that must not be revoked with an older one. */
  get isCookieTaken(): boolean {
    return this.#isInCookie && (this.#held !== undefined || this.isSigningIn)
  }

  /** When a session that was restored from a store was last used; `undefined` if it began here. */
  get lastUse(): number | undefined {
    return this.#lastUse
  }

  /** What the app may know of the session. The same object until the next token set is published. */
  get session(): Session | undefined {
    if (this.#held) this.#session ??= this.#describe(this.#held)
    return this.#session
  }

  /** What requests carry; `undefined` without an access token. The same object until the next token set. */
  get credential(): Credential | undefined {
    return this.#credential
  }

  get anonymousCredential(): Credential {
    return Object.freeze({ authorization: undefined, epoch: this.#epoch, generation: this.#generation })
  }

  /** What the chart may know of the tokens. */
  facts(): TokenFacts {
    const held = this.#held
    return {
      epoch: this.#epoch,
      generation: this.#generation,
      expiresAt: held?.expiresAt,
      refreshAt: held && refreshTime(held, this.#refreshAhead),
      refreshable: !isReached(held?.refreshTokenExpiresAt, this.#clock.now()),
    }
  }

  mark(): Mark {
    return { epoch: this.#epoch, revision: this.#revision }
  }

  isCurrent(mark: Mark): boolean {
    return mark.revision === this.#revision
  }

  /** Makes every mark outdated: what was read or requested before now belongs to a session that ended elsewhere. */
  bumpRevision(): void {
    this.#revision++
  }

  /** Starts a new session with the tokens of a sign-in. Requests have to wait until `publish`. */
  begin(tokens: Tokens): Session {
    const next = {
      ...tokens,
      id: Math.random().toString(36).slice(2),
      rotation: 0,
      // Two sign-ins in one millisecond, or with the clock set back between them, still have an order. A damaged record may
      // have started at the end of time.
      startedAt: Math.min(LAST_INSTANT, Math.max(tokens.receivedAt, this.#newestStart + 1)),
    }
    this.#start(next)
    return this.#describe(next)
  }

  /** Starts a session that was found in a store. */
  start(next: HeldTokens, lastUse?: number): TokenFacts {
    this.#start(next, lastUse)
    return this.publish()
  }

  /**
   * Keeps refreshed tokens. Requests go on with the access token before until `publish`. Returns false if the session has
   * changed since `mark`.
   */
  refresh(mark: Mark, tokens: Tokens): boolean {
    if (!this.isCurrent(mark)) return false
    const held = this.#held
    // A shared cookie may belong to another user by now: requests of one user must not be sent for the other.
    if (!held || compareUsers(held.user, tokens.user) === 'another') this.begin(tokens)
    else {
      this.#session = this.session
      this.#keep({ ...held, ...tokens, rotation: held.rotation + 1 })
    }
    return true
  }

  /** Replaces the tokens by newer ones of the same session. */
  replace(next: HeldTokens): TokenFacts {
    this.#keep(next)
    return this.publish()
  }

  /** Lets requests use the current tokens. */
  publish(): TokenFacts {
    if (this.#isPublished) return this.facts()
    this.#isPublished = true
    this.#generation++
    this.#session = undefined
    const { accessToken, tokenType = 'Bearer', proofKey } = this.#held ?? {}
    this.#credential =
      accessToken === undefined
        ? undefined
        : Object.freeze({
            authorization: `${tokenType} ${accessToken}`,
            epoch: this.#epoch,
            generation: this.#generation,
            proofKey,
          })
    return this.facts()
  }

  /** Changes what the next refresh will send. The access token stays as it is. */
  amend(
    change: Partial<Pick<HeldTokens, 'startedAt' | 'rotation' | 'refreshToken' | 'refreshTokenExpiresAt'>>,
  ): void {
    if (this.#held) this.#held = { ...this.#held, ...change }
  }

  /** The session ended by itself. Returns its tokens. */
  expire(): HeldTokens | undefined {
    return this.#drop(true)
  }

  /** The user signed out: a new epoch. Returns the tokens to revoke. */
  end(): HeldTokens | undefined {
    const held = this.#drop(false)
    this.#epoch++
    this.#predecessor = undefined
    return held
  }

  /** The session that is held ends without revocation: late tokens of it are only dropped. */
  spare(): void {
    // The message may come twice, the second time after the end.
    if (this.#held) this.#sparedEpoch = this.#epoch
  }

  /**
   * Whether tokens that arrive late for the session of that epoch must not be revoked, although it has ended. The user has signed
   * in again, and some servers revoke all tokens of a user or a grant at once.
   */
  isSpared(epoch: number, tokens: Tokens): boolean {
    if (epoch === this.#sparedEpoch) return true
    const held = this.#held
    const before = this.#predecessor
    return (
      held !== undefined &&
      before?.epoch === epoch &&
      compareUsers(before.user, held.user) === 'same' &&
      compareUsers(tokens.user, held.user) !== 'another'
    )
  }

  /** The epoch that a request made now belongs to. */
  get requestOwner(): number {
    return requestOwner(this.#epoch, this.#held !== undefined, this.#predecessor)
  }

  /** Whether a request of that epoch may be sent with the current token. */
  mayServe(owner: number): boolean {
    return mayServe(owner, this.#epoch, this.#held, this.#predecessor, this.#singleUser)
  }

  #describe({ subject, profile, claims, scope, expiresAt }: HeldTokens): Session {
    // Without spreading, which costs each session a hidden class of its own.
    const session: { -readonly [Name in keyof Session]: Session[Name] } = {
      expiresAt,
      generation: this.#generation,
      epoch: this.#epoch,
    }
    if (subject !== undefined) session.subject = subject
    if (profile) session.user = profile
    if (claims) session.claims = claims
    if (scope !== undefined) session.scope = scope
    return Object.freeze(session)
  }

  #start(next: HeldTokens, lastUse?: number): void {
    this.#drop(false)
    this.#newestStart = Math.max(this.#newestStart, next.startedAt)
    this.#lastUse = lastUse
    this.#epoch++
    this.#keep(next)
  }

  #keep(next: HeldTokens): void {
    this.#held = next
    if (next.refreshToken !== undefined) this.#isInCookie = false
    this.#revision++
    this.#isPublished = false
  }

  #drop(expired: boolean): HeldTokens | undefined {
    const held = this.#held
    if (held) {
      const { id, rotation, startedAt, user } = held
      this.#predecessor = { epoch: this.#epoch, id, rotation, startedAt, user, expired }
    }
    this.#held = this.#session = this.#credential = undefined
    this.#revision++
    return held
  }
}
