import { checkFunction, checkNumber, checkWords, wordsIn, wrongKind } from './checks.ts'
import { challenge } from './replies.ts'

/** The owner and the grant of the access token that a request presented. */
export interface TokenOwner {
  /** The user. */
  readonly subject: string
  /** The position of the access token within its session. The first one is 1. */
  readonly generation: number
  /** The granted scopes, separated by spaces; otherwise an empty string. */
  readonly scope: string
  /** How the user authenticated, if the sign-in specified it (`acr`, RFC 9470 section 6.1). */
  readonly acr: string | undefined
  /** When the user authenticated, in milliseconds since the epoch. */
  readonly authenticatedAt: number
}

/** What a path of the API requires beyond a valid access token, and what it answers. */
export interface TokenServerRoute {
  /**
   * Scopes, separated by spaces. The token must have all of them. Otherwise the answer is 403 `insufficient_scope` with this
   * scope (RFC 6750 section 3.1).
   */
  readonly scope?: string
  /**
   * Authentication contexts, separated by spaces. The token must have one of them. Otherwise the answer is 401
   * `insufficient_user_authentication` with these `acr_values` (RFC 9470 section 3).
   */
  readonly acrValues?: string
  /**
   * The maximum time since the user signed in or stepped up, in **seconds**, as on the wire. Otherwise the answer is 401
   * `insufficient_user_authentication` with this `max_age` (RFC 9470 section 3).
   */
  readonly maxAge?: number
  /**
   * Answers instead of the echo. It is called after all checks have passed, with a request whose body is unread. If it throws,
   * the answer is a 500 with the error; `Response.error()` drops the connection.
   */
  readonly handler?: (request: Request, owner: TokenOwner) => Response | Promise<Response>
}

type Routes = Readonly<Record<string, TokenServerRoute>>

export const checkRoutes = (where: string, routes: Routes, api = '/api/'): void => {
  for (const [path, route] of Object.entries(routes)) {
    if (!path.startsWith(api)) throw wrongKind(where, `paths that begin with '${api}'`, path)
    if (/[?#]|\*.|[^/]\*/.test(path)) {
      throw wrongKind(where, "paths without a query, and with '*' only in '/*' at the end", path)
    }
    if (typeof route !== 'object' || route === null)
      throw wrongKind(`${where}['${path}']`, 'an object', route)
    const { scope, acrValues, maxAge, handler } = route
    if (scope !== undefined) checkWords(`${where}['${path}'].scope`, scope)
    if (acrValues !== undefined) checkWords(`${where}['${path}'].acrValues`, acrValues)
    if (maxAge !== undefined) checkNumber(`${where}['${path}'].maxAge`, maxAge, 0)
    if (handler !== undefined) checkFunction(`${where}['${path}'].handler`, handler)
  }
}

/** Finds the route of a path. */
export const createRouteTable = (routes: Routes): ((pathname: string) => TokenServerRoute | undefined) => {
  const exact = new Map(Object.entries(routes))
  const below = [...exact]
    .filter(([path]) => path.endsWith('/*'))
    .map(([path, route]) => ({ prefix: path.slice(0, -1), route }))
    .sort((one, other) => other.prefix.length - one.prefix.length)
  return (pathname) =>
    exact.get(pathname) ??
    below.find(({ prefix }) => pathname.startsWith(prefix) && pathname !== prefix)?.route
}

/** The challenge for a valid token that does not meet the route's requirements at `now`; undefined if it does. */
export const shortfall = (route: TokenServerRoute, owner: TokenOwner, now: number): Response | undefined => {
  const granted = new Set(wordsIn(owner.scope))
  const { scope = '', acrValues = '', maxAge } = route
  if (!wordsIn(scope).every((word) => granted.has(word))) {
    return challenge(403, 'insufficient_scope', { scope: `"${scope}"` })
  }
  const contexts = wordsIn(acrValues)
  const weak = contexts.length > 0 && !contexts.includes(owner.acr ?? '')
  const old = maxAge !== undefined && now - owner.authenticatedAt > maxAge * 1000
  if (!weak && !old) return undefined
  return challenge(401, 'insufficient_user_authentication', {
    ...(contexts.length > 0 && { acr_values: `"${acrValues}"` }),
    ...(maxAge !== undefined && { max_age: `"${maxAge}"` }),
  })
}
