import type { BranchRequest } from '../core/ports.ts'
import type { AuthorizePage, OAuthOptions, ServerOptions, SignInRequest } from './options.ts'

const KINDS = ['redirect', 'popup', 'callback', 'silent']

/**
 * Checks the options of a client, during development. Most come from the environment, where one may be missing.
 *
 * @throws TypeError that names the option
 */
export function explainClient(
  creator: string,
  { issuer, clientId, clientAuth, scope, ...rest }: ServerOptions & Pick<OAuthOptions, 'redirectUri'>,
): void {
  explainURL(`${creator}: issuer`, issuer)
  if (rest.redirectUri !== undefined) explainURL(`${creator}: redirectUri`, rest.redirectUri, /./)
  if (typeof clientId !== 'string' || clientId === '')
    throw new TypeError(
      `${creator}: clientId is missing. It is the client identifier that the server has registered.`,
    )
  if (clientAuth !== undefined && typeof clientAuth !== 'function')
    throw new TypeError(
      `${creator}: clientAuth must be made by a function of oauth4webapi, such as ClientSecretBasic(secret).`,
    )
  if (scope !== undefined && typeof scope !== 'string')
    throw new TypeError(`${creator}: scope must be one text, such as 'openid email'.`)
}

/**
 * Checks an address, during development.
 *
 * @param name the function that takes it, and its name there
 * @param scheme what its scheme may be. An app that is installed has one of its own for answers (RFC 8252 §7.1)
 * @throws TypeError that names it, and quotes nothing
 */
export function explainURL(name: string, url: unknown, scheme = /^https?:$/): void {
  try {
    if (scheme.test(new URL(String(url)).protocol)) return
  } catch {
    // Reported below.
  }
  throw new TypeError(
    `${name} must be a whole URL, such as 'https://id.example.com'. Does it come from a variable that is not set?`,
  )
}

/**
 * Checks what `auth.signIn()` was given, during development. Builds for production contain no call of this file.
 *
 * @throws TypeError that names what is missing
 */
export function explainRequest(request: SignInRequest | undefined, redirectUri: string | undefined): void {
  const via = request?.via
  if (typeof via === 'function') {
    if (typeof Object(request).onCode === 'function') return
    throw new TypeError('signIn: onCode must be a function that shows the code to the user.')
  }
  if (!request || !via || !KINDS.includes(via))
    throw new TypeError(`signIn: via must be one of ${KINDS.join(', ')}, or deviceGrant.`)
  if (request.via === 'popup' && !request.window)
    throw new TypeError(
      "signIn: window is missing. Call oauth.openPopup() in the click, before anything is awaited. If it returns undefined, use via: 'redirect'.",
    )
  if (request.via !== 'callback') explainAnswerMode(request)
  else if (request.url !== undefined) return
  if (!redirectUri) throw new TypeError(`createOAuth: redirectUri is missing. via: '${via}' needs it.`)
  // A worker gets its window from a page.
  if (request.via === 'popup') return
  if (typeof document === 'undefined')
    throw new TypeError(
      `signIn: via: '${via}' needs a page. In a worker, use via: 'popup' with popupOfPage(); on a server, use oauth.authorizationUrl() and the url of its answer; on a machine without a browser, via: deviceGrant.`,
    )
}

/**
 * Checks that the server is to answer in the query of the redirect URI. Any other answer would not be noticed.
 *
 * @throws TypeError that names the parameter
 */
export function explainAnswerMode({ extra }: AuthorizePage): void {
  const { response_mode: mode = 'query' } = extra ?? {}
  if (mode !== 'query')
    throw new TypeError(
      `extra.response_mode must not be '${mode}': the answer is read from the query of the redirect URI.`,
    )
}

/**
 * Checks that the user was asked for the APIs of a branch. Some servers refuse others only after the refresh token is spent.
 *
 * @throws an `invalid_target`, which ends the branch
 */
export function explainBranch(
  { parameters }: BranchRequest,
  { resource = [], branchResource }: Pick<OAuthOptions, 'resource' | 'branchResource'>,
): void {
  if (branchResource === undefined) return
  const asked = [resource, branchResource].flat(2)
  const foreign = parameters.find(([name, value]) => name === 'resource' && !asked.includes(value))
  if (foreign)
    throw Object.assign(
      new Error(`createBranch: ${foreign[1]} is neither in resource nor in branchResource of createOAuth.`),
      {
        error: 'invalid_target',
      },
    )
}
