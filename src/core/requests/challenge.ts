/** What a server's 401 or 403 asks for (RFC 6750 §3.1, RFC 9470). */
export interface StepUp {
  /** The scope that the request needs, separated by spaces; missing if the server names none (RFC 6750 §3). */
  readonly scope?: string
  /**
   * Authentication context classes that the server accepts, separated by spaces; missing if it names none (RFC 9470
   * §3).
   */
  readonly acrValues?: string
  /** How long ago the user may have signed in, in seconds; missing if the server names no limit (RFC 9470 §3). */
  readonly maxAge?: number
}

/** What a refusal asks for: a new token, or a stronger sign-in that no refresh can provide. */
export type Challenge = 'refresh' | StepUp

/**
 * Reads a refusal. A 401 asks for a new token unless its Bearer or DPoP challenge names another error than `invalid_token`
 * (RFC 6750 §3.1, RFC 9449 §7.1) or the sentence of a known server for it; `insufficient_scope` and `insufficient_user_authentication`
 * (RFC 9470) ask for more than that.
 *
 * @param status the HTTP status of the answer
 * @param wwwAuthenticate the header of that name; several are joined by commas
 * @returns `'refresh'` if a new token may help, what the server asks for if that is a stronger sign-in, and otherwise `undefined`
 *
 * @example
 * ```ts
 * readChallenge(response.status, response.headers.get('www-authenticate'))
 * ```
 */
export function readChallenge(
  status: number,
  wwwAuthenticate: string | null | undefined,
): Challenge | undefined {
  if (status !== 401 && status !== 403) return undefined
  const { error, scope, acr_values: acrValues, max_age: maxAge } = tokenParameters(wwwAuthenticate ?? '')
  if (error === 'insufficient_scope' || error === 'insufficient_user_authentication') {
    return {
      ...(scope !== undefined && { scope }),
      ...(acrValues !== undefined && { acrValues }),
      ...(maxAge !== undefined && Number.isFinite(Number(maxAge)) && { maxAge: Number(maxAge) }),
    }
  }
  return status === 401 && (error === undefined || REJECTED_TOKEN.test(error)) ? 'refresh' : undefined
}

/**
 * How servers name a token that they do not accept any more: the code of RFC 6750, and the words of hapi's plugins
 * (`@hapi/jwt`, `hapi-auth-jwt2`, `hapi-auth-bearer-token`) and of jsonwebtoken, on which many servers are built.
 */
const REJECTED_TOKEN =
  /^(?:(?:invalid|expired|bad|revoked)[_ ]token|invalid (?:token )?signature|(?:jwt|token)[_ ](?:expired|maximum age exceeded))$/i

/** `name=value` or `name="quoted value"` (RFC 9110 §11.2), or the name of a scheme. */
const PART = /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/g

/** How much of a header is read, in characters. */
const MOST = 16_384

/** The parameters of the Bearer and DPoP challenges among the challenges of one header. */
export function tokenParameters(header: string): Record<string, string | undefined> {
  const parameters: Record<string, string | undefined> = Object.create(null)
  let inside = false
  for (const [, name = '', quoted, token] of header.slice(0, MOST).matchAll(PART)) {
    const value = quoted?.replace(/\\(.)/g, '$1') ?? token
    if (value === undefined) inside = /^(bearer|dpop)$/i.test(name)
    else if (inside) parameters[name.toLowerCase()] ??= value
  }
  return parameters
}
