import { compareUsers, type UserNames } from '../../../machines/policies.ts'
import { InvalidTokenResponseError } from '../errors.ts'
import type { Binding, Kernel } from '../kernel.ts'
import { decodeBase64 } from '../platform/globals.ts'
import { explainLifetime, explainMissing } from '../platform/hints.ts'
import { isObject } from '../platform/is-object.ts'

/** A token set as the vault holds it. Instants and lifetimes are milliseconds. */
export interface Tokens extends Binding {
  /** `undefined` for a session whose store holds none. */
  readonly accessToken: string | undefined
  readonly refreshToken: string | undefined
  readonly idToken: string | undefined
  readonly receivedAt: number
  readonly expiresAt: number | undefined
  readonly refreshTokenExpiresAt: number | undefined
  readonly scope: string | undefined
  readonly subject: string | undefined
  readonly user: UserNames
  readonly claims: Fields | undefined
  /** What the app's server answered of the user: `session.user`. */
  readonly profile: Fields | undefined
}

type Fields = Readonly<Record<string, unknown>>

/** What a token response is read for. */
type Receiver = Pick<Kernel, 'proofKey'> & { readonly clock: Pick<Kernel['clock'], 'now'> }

/**
 * Whether a header may carry the token: it is visible ASCII and not empty. Any other token would make the transport throw
 * an error that prints it. A regular expression would expose it to every script of the page as `RegExp.input`.
 */
export function isHeaderSafe(token: string): boolean {
  for (let i = 0; i < token.length; i++) {
    const code = token.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return token !== ''
}

/** The longest text that is taken from a token response or a record. Servers refuse headers of this length. */
const LONGEST = 65_536

export const isBounded = (text: string): boolean => text.length <= LONGEST

/** The shortest lifetime that is believed, in milliseconds. Shorter ones would be refreshed without end. */
const LIFETIME_LEAST = 1_000
/** The last instant of a `Date`. */
export const LAST_INSTANT = 8.64e15
/** How deep claims and facts of a user may be nested: whatever copies or prints them goes as deep. */
const DEPTH = 16

/**
 * Reads what a `refresh` or `signIn` function returned.
 *
 * What the response leaves out is kept from `previous` (RFC 6749 §6, §5.1), unless that belongs to another user: a shared
 * cookie may have changed hands.
 *
 * @param receiver its clock, and the key that tokens may be bound to (RFC 9449 §5)
 * @param fresh the server has just issued these tokens: a lifetime counts from now, and a token that looks expired on
 * arrival, or within a second, only shows that clocks or units disagree. Its expiry counts as unknown; otherwise it would be
 * refreshed without end.
 *
 * @throws InvalidTokenResponseError
 */
export function parseTokenResponse(
  response: unknown,
  { clock, proofKey }: Receiver,
  fresh: boolean,
  previous?: Tokens,
): Tokens {
  const now = clock.now()
  if (!isObject(response)) throw invalidResponse(response === null ? 'null' : typeof response)
  const fields: Fields = response
  const accessToken = pick(fields, 'access_token')
  if (accessToken === undefined) {
    explainMissing(fields)
    throw invalidResponse('no_access_token')
  }
  if (typeof accessToken !== 'string' || !isBounded(accessToken) || !isHeaderSafe(accessToken)) {
    throw invalidResponse('unsafe_access_token')
  }
  const type = text(pick(fields, 'token_type') ?? 'bearer')?.toLowerCase()
  const binding = proofKey?.bind(type, fields, previous) ?? (type === 'bearer' && UNBOUND)
  // RFC 6749 §7.1: a client must not use a token whose type it does not understand.
  if (!binding) throw invalidResponse('unknown_token_type')

  const idToken = text(pick(fields, 'id_token'))
  const own = jwtClaims(accessToken)
  const named = idToken === undefined ? undefined : jwtClaims(idToken)
  const user = userNames(text(fields.subject), named, own)
  const kept = previous && compareUsers(previous.user, user) !== 'another' ? previous : undefined
  const refreshToken = text(pick(fields, 'refresh_token'))
  const expiresAt = expiry(fields, own, now, fresh)
  explainLifetime(expiresAt, fields, own)
  return {
    accessToken,
    refreshToken: refreshToken ?? kept?.refreshToken,
    idToken: idToken ?? kept?.idToken,
    receivedAt: now,
    expiresAt,
    refreshTokenExpiresAt:
      after(now, pick(fields, 'refresh_token_expires_in')) ??
      // The lifetime of the previous refresh token does not apply to a new one.
      (refreshToken === undefined ? kept?.refreshTokenExpiresAt : undefined),
    scope: text(fields.scope) ?? kept?.scope,
    ...binding,
    subject:
      user.app ??
      text(named?.sub) ??
      ((kept?.user.app ?? kept?.user.idToken) ? kept?.subject : undefined) ??
      text(own?.sub) ??
      kept?.subject,
    user: {
      app: user.app ?? kept?.user.app,
      idToken: user.idToken ?? kept?.user.idToken,
      accessToken: user.accessToken ?? kept?.user.accessToken,
    },
    claims: idToken ? named : kept?.idToken ? kept.claims : own,
    profile: userFacts(fields.user, [accessToken, refreshToken, idToken]) ?? kept?.profile,
  }
}

/** The shortest token that is looked for within longer texts. A shorter one may be part of a name. */
const TOKEN_LEAST = 8

/**
 * A copy of facts of a user that holds only JSON and none of the tokens.
 *
 * @returns `undefined` if they are no object, exceed the bounds, or quote a token within a text
 */
export function userFacts(value: unknown, tokens: readonly (string | undefined)[]): Fields | undefined {
  try {
    const json = JSON.stringify(value, (_, part) => (tokens.includes(part) ? undefined : part))
    const quotes = (token = '') => token.length >= TOKEN_LEAST && json.includes(token)
    if (isBounded(json) && !tokens.some(quotes)) return usable(JSON.parse(json))
  } catch {
    // A cycle, a number that JSON does not know, or nothing at all.
  }
  return undefined
}

/** The refresh token of an answer that another session reads. `undefined`: it has none. */
export function refreshTokenOf(
  response: unknown,
  now: number,
): { readonly refreshToken: string; readonly refreshTokenExpiresAt: number | undefined } | undefined {
  const fields = Object(response) as Fields
  const refreshToken = text(pick(fields, 'refresh_token'))
  return refreshToken === undefined
    ? undefined
    : { refreshToken, refreshTokenExpiresAt: after(now, pick(fields, 'refresh_token_expires_in')) }
}

const UNBOUND: Binding = { tokenType: undefined, keyId: undefined }

/** The names that a token set gives its user. */
export const userNames = (
  app: string | undefined,
  idToken: Fields | undefined,
  accessToken: Fields | undefined,
): UserNames => ({ app, idToken: userName(idToken), accessToken: userName(accessToken) })

function userName(claims: Fields | undefined): string | undefined {
  const subject = text(claims?.sub)
  return subject && JSON.stringify([text(claims?.iss), subject])
}

/** Errors that were made here: they quote nothing. */
const made = /* @__PURE__ */ new WeakSet<object>()

export function invalidResponse(problem: string): Error {
  const error = new InvalidTokenResponseError(problem)
  made.add(error)
  return error
}

export const isInvalidResponse = (error: unknown): error is Error => made.has(Object(error))

/** A field by its name in snake case, as in RFC 6749, or in camel case. */
const pick = (fields: Fields, name: string) =>
  fields[name] ?? fields[name.replace(/_./g, (part) => part.charAt(1).toUpperCase())] ?? undefined

const text = (value: unknown) =>
  typeof value === 'string' && value !== '' && isBounded(value) ? value : undefined

const finite = (value: unknown) => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

export const isInstant = (value: unknown): value is number =>
  typeof value === 'number' && Math.abs(value) <= LAST_INSTANT

const after = (now: number, seconds: unknown) => {
  const lifetime = finite(seconds)
  const at = lifetime === undefined ? undefined : now + lifetime * 1000
  return isInstant(at) ? at : undefined
}

function expiry(fields: Fields, jwt: Fields | undefined, now: number, fresh: boolean) {
  const expires = finite(jwt?.exp)
  const issued = finite(jwt?.iat)
  let at = after(now, pick(fields, 'expires_in')) ?? instant(pick(fields, 'expires_at'))
  if (at === undefined && expires !== undefined) {
    // `exp - iat` does not depend on the clocks. A token of unknown age may have lived a part of it already.
    const whole = issued === undefined ? expires * 1000 : now + (expires - issued) * 1000
    at = fresh ? whole : Math.min(whole, expires * 1000)
  }
  return !isInstant(at) || (fresh && at < now + LIFETIME_LEAST) ? undefined : at
}

/** Smaller numbers are seconds: as milliseconds they would be before early 1973. */
const SECONDS_BELOW = 1e11

function instant(value: unknown) {
  if (value instanceof Date) return finite(value.getTime())
  const number =
    finite(value) ?? (typeof value === 'string' && value.length < 100 ? finite(Date.parse(value)) : undefined)
  return number !== undefined && number < SECONDS_BELOW ? number * 1000 : number
}

/** Whether a value is nested no deeper than that. */
const isShallow = (value: unknown, depth: number): boolean =>
  !isObject(value) || (depth > 0 && Object.values(value).every((part) => isShallow(part, depth - 1)))

const usable = (json: unknown) => (isObject(json) && isShallow(json, DEPTH) ? Object.freeze(json) : undefined)

/** The payload of a JWT, unverified: the client reads facts from it, the server enforces them (RFC 7519 §7.2). */
export function jwtClaims(token: string): Fields | undefined {
  const payload = token.split('.')[1]
  if (!payload || !isBounded(payload)) return undefined
  try {
    const bytes = decodeBase64(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const escaped = Array.from(bytes, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
    return usable(JSON.parse(decodeURIComponent(escaped.join(''))))
  } catch {
    return undefined
  }
}
