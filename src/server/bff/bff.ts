import { safeReturnPath } from '../../bindings/return-path.ts'
import { ID_TOKEN } from '../../core/auth.ts'
import { isAuthError, OAuthError, StorageError } from '../../core/errors.ts'
import type { Session, UserFacts } from '../../core/ports.ts'
import { type FleetMemory, fleetMemory } from '../fleet-memory.ts'
import { POOL_WORLD, type PooledAuth } from '../pool-types.ts'
import { SessionCookie } from './cookies.ts'
import { CsrfGuard, originOf } from './csrf.ts'
import { ForwardedApi, forwardedInit, returnedResponse } from './forward.ts'
import { codeOf, empty, failedPage, json, refusal, replyTo, seeOther, withCookies } from './replies.ts'
import { ServerSessions } from './server-sessions.ts'
import { TransactionCookies } from './transactions.ts'
import type {
  Bff,
  BffOptions,
  CallbackCredentials,
  LogoutClaims,
  RequestHeaders,
  ServerSession,
} from './types.ts'

const PATHS = {
  signIn: '/auth/sign-in',
  callback: '/auth/callback',
  signOut: '/auth/sign-out',
  session: '/auth/session',
  backChannelLogout: '/auth/back-channel-logout',
} as const

/**
 * A backend for frontends: tokens stay on the server, and the browser has a cookie that no script can read. A refresh never
 * changes the cookie, so it can happen during any request, also while a page is rendered.
 *
 * @param options the pool, how users sign in, and the APIs to forward to. Times are in milliseconds
 * @returns handlers for requests as the Fetch Standard defines them. `authchart/hono`, `authchart/express` and others fit them to a
 * framework
 * @throws TypeError if an option is wrong
 *
 * @example
 * ```ts
 * const oauth = createOAuth({ issuer, clientId, clientAuth, redirectUri: 'https://app.example.com/auth/callback' })
 * const pool = createAuthPool({ ...oauth.ports, fleet, keys })
 * const bff = createBff({ pool, oauth, apis: { '/api': { to: 'https://api.example.com' } } })
 * const answer = (await bff.handle(request)) ?? new Response('Not found', { status: 404 })
 * ```
 *
 * @see OAuth 2.0 for Browser-Based Applications, §6.1
 */
export function createBff<Credentials, Claims, User = UserFacts>(
  options: BffOptions<Credentials, Claims, User>,
): Bff<Claims, User> {
  return new Backend(options as unknown as BffOptions<unknown, unknown>) as unknown as Bff<Claims, User>
}

/** How long an answer of the server is remembered as used, in milliseconds. Its sign-in may take ten minutes. */
const ANSWER_MEMORY = 1_200_000

/** How long the path may be that a sign-in leads back to, in characters. */
const LONGEST_RETURN_PATH = 512

type Route = (request: Request, url: URL) => Promise<Response>

class Backend implements Bff<unknown> {
  readonly origin: string | undefined
  readonly #options: BffOptions<unknown, unknown>
  readonly #cookie: SessionCookie
  readonly #csrf: CsrfGuard
  readonly #transactions: TransactionCookies
  readonly #apis: readonly ForwardedApi[]
  readonly #sessions: ServerSessions
  readonly #routes: ReadonlyMap<string, Route>
  readonly #signInPath: string
  readonly #answers: FleetMemory

  constructor(options: BffOptions<unknown, unknown>) {
    const { pool, oauth, credentials, cookie, csrf, apis = {}, logout } = options
    const world = pool?.[POOL_WORLD]
    if (!world) throw new TypeError('createBff: pool must be made by createAuthPool().')
    if (!oauth === !credentials) throw new TypeError('createBff: give either oauth or credentials.')
    const paths = { ...PATHS, ...options.paths }
    for (const [name, path] of Object.entries(paths))
      if (!/^\/[\w./~-]+$/.test(path))
        throw new TypeError(`createBff: paths.${name} must be a path like '/auth/session'.`)
    this.#options = options
    this.origin = options.origin === undefined ? undefined : originOf(options.origin)
    this.#cookie = new SessionCookie(cookie)
    this.#csrf = new CsrfGuard(csrf, this.origin)
    this.#signInPath = paths.signIn
    this.#answers = fleetMemory(world.fleet, world.clock)
    this.#transactions = new TransactionCookies(world.keys, this.#cookie.secure, () => world.clock.now())
    // The longest path first, so that '/api/v2' comes before '/api'.
    const forwarded = Object.entries(apis).map(([path, api]) => new ForwardedApi(path, api))
    this.#apis = forwarded.sort((a, b) => b.path.length - a.path.length)
    this.#sessions = new ServerSessions(pool, this.#apis)
    this.#routes = new Map<string, Route>([
      [paths.signIn, oauth ? this.#startSignIn : this.#signIn],
      ...(oauth ? [[paths.callback, this.#finishSignIn] as const] : []),
      [paths.signOut, this.#signOut],
      [paths.session, this.#showSession],
      ...(logout ? [[paths.backChannelLogout, this.#endByServer] as const] : []),
    ])
  }

  async handle(request: Request): Promise<Response | undefined> {
    const url = new URL(request.url)
    const route = this.#routes.get(url.pathname)
    const api = route ? undefined : this.#apis.find((one) => one.has(url.pathname))
    if (!route && !api) return undefined
    this.#assertSecure(url)
    try {
      return await (api ? this.#forward(request, url, api) : route?.(request, url))
    } catch (error) {
      const reply = replyTo(error)
      if (reply) return reply
      // The browser has gone away, which is no error of the app. It does not get this answer.
      if (request.signal.aborted) return refusal(499, 'aborted')
      throw error
    }
  }

  async session({ headers }: RequestHeaders): Promise<ServerSession<unknown> | undefined> {
    const key = this.#cookie.read(headers)
    return key === undefined ? undefined : this.#sessions.find(key)
  }

  /** Sends the user to the server. A new cookie remembers what the answer is checked against. */
  readonly #startSignIn: Route = async (request, url) => {
    if (!this.#csrf.isVisit(request)) return refusal(400, 'not_a_navigation')
    const { oauth, authorize } = this.#options
    const changes = new Headers()
    const location = await oauth?.authorizationUrl({
      ...authorize?.(request),
      returnTo: shortReturnPath(url.searchParams.get('returnTo')),
      transactions: this.#transactions.of(request, changes),
    })
    return withCookies(seeOther(String(location)), changes.getSetCookie())
  }

  /** The user is back. The session gets a new key, whatever cookie the browser had. */
  readonly #finishSignIn: Route = async (request, url) => {
    if (!this.#csrf.isVisit(request)) return refusal(400, 'not_a_navigation')
    const changes = new Headers()
    const transactions = this.#transactions.of(request, changes)
    const { returnTo, isKnown, isNew } = await this.#examine(transactions, url)
    if (!isKnown) return this.#failed(unknownSignIn(), request)
    if (!isNew && (await this.session(request))) return seeOther(returnTo)
    if (!isNew) return this.#failed(undefined, request)
    const credentials: CallbackCredentials = { via: 'callback', url: url.href, transactions }
    try {
      const { key } = await this.#options.pool.signIn(credentials, this.#cookie.read(request.headers))
      return withCookies(seeOther(returnTo), [...changes.getSetCookie(), this.#cookie.set(key)])
    } catch (error) {
      return withCookies(await this.#failed(error, request), changes.getSetCookie())
    }
  }

  /** Looks at an answer of the server before it is used. Each of them is used once, also if it comes to two processes. */
  async #examine(transactions: CallbackCredentials['transactions'], { searchParams }: URL) {
    const state = searchParams.get('state') ?? ''
    // Only of a sign-in that this browser has begun: others are refused without a trace in the database.
    const remembered = await transactions.read(`authchart.oauth2.${state}`)
    const isKnown = remembered !== undefined
    const isNew = isKnown && (await this.#answers.remember(`state ${state}`, ANSWER_MEMORY))
    return { returnTo: returnPathIn(remembered), isKnown, isNew }
  }

  /** A sign-in by a form of the app, sent by a script or by the browser itself. */
  readonly #signIn: Route = async (request, url) => {
    if (request.method !== 'POST') return refusal(405, 'method_not_allowed', { allow: 'POST' })
    if (!this.#csrf.allows(request)) return refusal(403, 'forbidden')
    const { pool, credentials, onSignInFailed } = this.#options
    const isForm = this.#csrf.isForm(request)
    try {
      const given = await credentials?.(request)
      const { key, session } = await pool.signIn(given, this.#cookie.read(request.headers))
      const answer = isForm
        ? seeOther(safeReturnPath(url.searchParams.get('returnTo')))
        : json(200, factsOf(session))
      return withCookies(answer, [this.#cookie.set(key)])
    } catch (error) {
      const isDown = error instanceof StorageError
      const page = formPathOf(request, this.origin ?? url.origin)
      if (isForm) return this.#failed(error, request, isDown ? 503 : 401, page)
      if (isDown) throw error
      return onSignInFailed ? this.#failed(error, request) : refusal(401, codeOf(error))
    }
  }

  async #failed(error: unknown, request: Request, status = 400, again = this.#signInPath): Promise<Response> {
    const { onSignInFailed } = this.#options
    if (onSignInFailed) {
      const answer = await onSignInFailed(error, request)
      // A copy, because the headers of some answers cannot be changed.
      return new Response(answer.body, answer)
    }
    return failedPage(status, error === undefined ? 'already_used' : codeOf(error), again)
  }

  readonly #signOut: Route = async (request) => {
    if (request.method !== 'POST') return refusal(405, 'method_not_allowed', { allow: 'POST' })
    if (!this.#csrf.allows(request)) return refusal(403, 'forbidden')
    const key = this.#cookie.read(request.headers)
    const cookies = [this.#cookie.clear()]
    try {
      const ended = key === undefined ? undefined : await this.#endHere(key)
      const location = ended && (await this.#signOutUrl(ended))
      if (this.#csrf.isForm(request)) return withCookies(seeOther(location ?? '/'), cookies)
      return withCookies(location ? json(200, { url: location }) : empty(), cookies)
    } catch (error) {
      // Without the cookie the next user of this browser is not signed in, even if the database is down.
      const reply = replyTo(error)
      if (!reply) throw error
      return withCookies(reply, cookies)
    }
  }

  /** Ends a session. What is left of it names it to the server. */
  async #endHere(key: string): Promise<object | undefined> {
    const { oauth, pool } = this.#options
    const remember = async (auth: PooledAuth<unknown>) => {
      const idToken = auth[ID_TOKEN]?.()
      return { session: auth.session, ready: async () => {}, [ID_TOKEN]: () => idToken }
    }
    // The user signs out in any case.
    const ended = oauth?.signOutUrl && (await pool.use(key, remember).catch(() => undefined))
    await pool.end({ key })
    return ended
  }

  /** Where the server ends its own session. After the end of ours, because the server may not answer. */
  async #signOutUrl(ended: object): Promise<string | undefined> {
    try {
      return (await this.#options.oauth?.signOutUrl?.(ended as never))?.href
    } catch {
      // The user has signed out here.
      return undefined
    }
  }

  /** The server that signed users in says that their sessions have ended. */
  readonly #endByServer: Route = async (request) => {
    if (request.method !== 'POST') return refusal(405, 'method_not_allowed', { allow: 'POST' })
    const { pool, logout } = this.#options
    const end = ({ subject = '', sid }: LogoutClaims) => pool.end(sid === undefined ? { subject } : { sid })
    return (await logout?.handle(request, end)) ?? refusal(404, 'not_found')
  }

  readonly #showSession: Route = async (request) => {
    if (request.method !== 'GET') return refusal(405, 'method_not_allowed', { allow: 'GET' })
    if (!this.#csrf.allows(request)) return refusal(403, 'forbidden')
    const session = await this.session(request)
    return json(200, session ? factsOf(session) : { signedIn: false })
  }

  async #forward(request: Request, url: URL, api: ForwardedApi): Promise<Response> {
    if (!this.#csrf.allows(request)) return refusal(403, 'forbidden')
    const target = api.target(url)
    if (target === undefined) return refusal(400, 'unsafe_path')
    const key = this.#cookie.read(request.headers)
    if (key === undefined) return refusal(401, 'signed_out')
    return this.#options.pool.use(key, async (auth) => {
      const init = await forwardedInit(request, this.#csrf.header)
      const answer = await this.#sessions
        .fetchOf(auth, api)(target, init)
        .catch((error: unknown) => {
          if (isAuthError(error) || request.signal.aborted) throw error
          return undefined
        })
      if (!answer) return refusal(502, 'api_unreachable')
      return returnedResponse(answer, api, target) ?? refusal(502, 'invalid_answer')
    })
  }

  /** A cookie without `Secure` is for this machine only. */
  #assertSecure({ hostname }: URL): void {
    if (!this.#cookie.secure && !/^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname))
      throw new TypeError(
        'createBff: cookie.secure: false is for http on this machine. Leave it out in production.',
      )
  }
}

/** What a page may know of the session. */
const factsOf = ({ subject, user, claims, scope, expiresAt }: Partial<Session<unknown>>) => ({
  signedIn: true,
  subject,
  user,
  claims,
  scope,
  expiresAt,
})

const unknownSignIn = () =>
  new OAuthError(
    { reason: 'unknown_state' },
    'This browser has not started this sign-in, or did so more than ten minutes ago. Start it again (RFC 6749 §10.12).',
  )

/** The path to go on with after a sign-in. It is part of a cookie, and any page may have chosen it. */
function shortReturnPath(given: string | null): string {
  const path = safeReturnPath(given)
  return path.length <= LONGEST_RETURN_PATH ? path : '/'
}

/** The path of the page whose form was sent. */
function formPathOf({ headers }: Request, origin: string): string {
  const page = headers.get('referer') ?? ''
  return safeReturnPath(page.startsWith(`${origin}/`) ? page.slice(origin.length) : '/')
}

/** The path that the sign-in was started with: part of what the client remembers for its `state`. */
function returnPathIn(remembered: unknown): string {
  try {
    return safeReturnPath((JSON.parse(String(remembered)) as { readonly returnTo?: unknown }).returnTo)
  } catch {
    return '/'
  }
}
