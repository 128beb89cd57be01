/** The tokens of a session, as far as they are known: in a cookie, or before the first refresh, some are missing. */
export interface Revocable {
  readonly accessToken?: string | null | undefined
  readonly refreshToken?: string | undefined
}

/** Collects tokens that have to be revoked. */
export interface RevocationList {
  add(tokens: Revocable): void
}
