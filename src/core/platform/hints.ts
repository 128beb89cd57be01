/**
 * Explains during development what an app may have done wrong: on the console, once for each cause, and in the devtools
 * panel. Production builds replace this file by `hints.production.ts`, which does nothing, and remove the calls: each is a
 * statement of its own, on one line (`scripts/without-hints.ts`).
 */
declare const console: { info(text: string): void; warn(text: string): void } | undefined

/** Why a request was sent without a token. */
export type TokenlessReason =
  | 'origin_not_listed'
  | 'plain_http'
  | 'own_header'
  | 'excluded'
  | 'no_headers'
  | 'not_signed_in'

/** A request that was sent without a token. */
export interface TokenlessRequest {
  readonly reason: TokenlessReason
  /** When it was sent, in milliseconds since the Unix epoch. */
  readonly at: number
  /** Method and URL, without the query and without credentials. */
  readonly request: string
}

const REQUESTS: { readonly [Reason in TokenlessReason]: (origin: string) => string } = {
  origin_not_listed: (origin) =>
    `its origin is not listed. To send tokens there, add origins: ['${origin}'].`,
  plain_http: () =>
    'it goes over plain http, where anyone on the way can read a token. Use https. In a network that you trust: allowInsecure: true.',
  own_header: () =>
    'it has an Authorization header of its own. Remove that header if the session should authorize the request.',
  excluded: () => 'the option exclude names it.',
  no_headers: () => 'a request of this mode has no headers (no-cors, JSONP).',
  not_signed_in: () => 'no user is signed in.',
}

const MISTAKES = {
  no_lifetime: () =>
    'No lifetime was found in the token response: it has no expires_in and no expires_at, and its access token is not a JWT with exp. The token is used until the server answers 401. Answer expires_in, in seconds (RFC 6749 §5.1).',
  wrong_lifetime: (field: string) =>
    `The lifetime in the token response cannot be used: ${field} must be a number of seconds, such as 900. The token is used until the server answers 401.`,
  first_refresh_refused: () =>
    "The first refresh of this session was refused, and it had no refresh token to send. If the server keeps it in a cookie: send it with credentials: 'include' to another origin, and check Path, SameSite and Secure of the cookie. If not: answer a refresh_token at the sign-in (scope offline_access at many providers).",
  wrapped_response: (field: string) =>
    `The token response has no access_token, but its field ${field} has one. Return that field: (await response.json()).${field}.`,
  store_failed: (kind: string) =>
    `The store of the session failed (${kind}), and no listener for storageFailed exists. The session goes on in memory, and is lost with this page or process. Add auth.on('storageFailed', …), and check what the store allows.`,
  own_type_error: (place: string) =>
    `The refresh function threw a TypeError of its own${place && `, at ${place}`}. It is not a failure of the network: correct the function.`,
  unknown_name: (sentence: string) => sentence,
} as const

type Listener = (request: TokenlessRequest) => void

/** How many causes are remembered: a page that lives long must not fill the memory. */
const MOST = 200
const said = new Set<string>()
const listeners = new WeakMap<object, Set<Listener>>()
/** The last requests of each session, for a panel that is opened later. */
const recent = new WeakMap<object, TokenlessRequest[]>()
const RECENT = 50

function say(level: 'info' | 'warn', cause: string, text: string): void {
  if (said.has(cause) || said.size >= MOST) return
  said.add(cause)
  if (typeof console === 'object') console[level](`authchart: ${text}`)
}

/** Forgets which causes were named, for tests. */
export const forgetHints = (): void => said.clear()

/** Names a mistake once. */
function hint<Code extends keyof typeof MISTAKES>(
  code: Code,
  ...detail: Parameters<(typeof MISTAKES)[Code]>
): void {
  const [about = ''] = detail as readonly string[]
  say('warn', `${code} ${about}`, MISTAKES[code](about))
}

/**
 * Explains why a request was sent without a token.
 *
 * @param session the auth, or the gate of its session
 * @param key method and URL
 */
export function explainTokenless(session: object, reason: TokenlessReason, key: string): void {
  const { request, origin } = withoutSecrets(key)
  const about: TokenlessRequest = Object.freeze({ reason, at: Date.now(), request })
  const list = recent.get(session) ?? []
  recent.set(session, list)
  list.push(about)
  if (list.length > RECENT) list.shift()
  for (const listener of listeners.get(session) ?? []) listener(about)
  say('info', `${reason} ${origin}`, `${request} was sent without a token: ${REQUESTS[reason](origin)}`)
}

/** Follows the requests without a token, beginning with the last ones. Returns a function that stops it. */
export function followTokenless(sessions: readonly object[], listener: Listener): () => void {
  for (const session of sessions) {
    for (const request of recent.get(session) ?? []) listener(request)
    listeners.set(session, (listeners.get(session) ?? new Set()).add(listener))
  }
  return () => {
    for (const session of sessions) listeners.get(session)?.delete(listener)
  }
}

/** The parts of a key that may be shown: a query may hold a secret, and so may the user part of a URL. */
function withoutSecrets(key: string) {
  const request = key
    .slice(0, 300)
    .replace(/[?#].*/s, '')
    .replace(/\/\/[^/]*@/, '//')
  const [origin = ''] = /[a-z][a-z+.-]*:\/\/[^/]+/i.exec(request) ?? []
  return { request, origin }
}

/** Explains a request that was sent while no user was signed in. */
export function explainAnonymous(
  session: object,
  credential: { readonly authorization: string | undefined },
  request: { key(): string },
): void {
  if (credential.authorization === undefined) explainTokenless(session, 'not_signed_in', request.key())
}

type Fields = Readonly<Record<string, unknown>>

/** Names a token response without a lifetime, or with one in words. */
export function explainLifetime(
  expiresAt: number | undefined,
  response: Fields,
  jwt: Fields | undefined,
): void {
  const named = ['expires_in', 'expiresIn', 'expires_at', 'expiresAt'].find((name) => response[name] != null)
  if (expiresAt !== undefined || jwt?.exp !== undefined) return
  if (named === undefined) hint('no_lifetime')
  else attempt(() => Number.isNaN(Number(response[named])) && hint('wrong_lifetime', named))
}

/** The names under which servers wrap their answers. */
const WRAPPERS = ['data', 'result', 'tokens', 'token', 'payload', 'body', 'response']

/** Names the field of a response in which the tokens are. */
export function explainMissing(response: Fields): void {
  attempt(() => {
    const wrapper = WRAPPERS.find((name) => {
      const inner = Object(response[name]) as Fields
      return typeof (inner.access_token ?? inner.accessToken) === 'string'
    })
    if (wrapper) hint('wrapped_response', wrapper)
  })
}

/** Names the likely mistake behind a failed refresh. */
export function explainFailure(
  error: unknown,
  failure: { readonly fatal: boolean; readonly reason: string },
  previous: { readonly refreshToken: string | undefined; readonly rotation?: number } | undefined,
): void {
  if (failure.fatal && previous && previous.refreshToken === undefined && !previous.rotation)
    hint('first_refresh_refused')
  attempt(() => {
    if (error instanceof TypeError && failure.reason === 'refresh_failed')
      hint('own_type_error', placeOf(error))
  })
}

/** A foreign object may throw whenever it is looked at, and a hint must change nothing. */
function attempt(explain: () => void): void {
  try {
    explain()
  } catch {
    // Then there is no hint.
  }
}

/** How much of a stack is read, in characters. */
const STACK = 4_000

/** The first place of a stack: file, line and column, and none of the error's own text. */
function placeOf(error: Error): string {
  const stack = String(error.stack).slice(0, STACK)
  const [, place = ''] =
    /^\s*(?:at .*?\(?|[^\n]*@)((?:[a-z]+:\/\/|\/|[A-Z]:\\)[^\s()]+:\d+:\d+)\)?$/m.exec(stack) ?? []
  return place.replace(/^file:\/\//, '').replace(/\?[^:]*/, '')
}

/** Sessions whose app listens to failures of their store. */
const watched = new WeakSet<object>()

/** The events of `auth.on`. */
export const EVENTS: readonly string[] =
  'signedIn signedOut refreshed refreshFailed discarded expired stepUpRequired requestHeld requestReplayed requestRejected storageFailed revocationFailed transition *'.split(
    ' ',
  )

/** Remembers that an app listens to failures, and names events that do not exist. */
export function explainListener(auth: object, type: string): void {
  if (type === 'storageFailed' || type === '*') watched.add(auth)
  if (EVENTS.includes(type)) return
  const name = String(type)
  hint('unknown_name', `auth.on() knows no event '${shown(name)}'.${meant(name, EVENTS)}`)
}

/** Names a store that failed while no listener reports it. */
export function explainEvent(auth: object, { type, reason = '' }: { type: string; reason?: string }): void {
  if (type === 'storageFailed' && !watched.has(auth)) hint('store_failed', reason)
}

/** Names an argument of the wrong kind. */
export const explainArgument = (sentence: string): void => hint('unknown_name', sentence)

/** Names the options that do not exist, each with the nearest one that does. */
export function explainOptions(creator: string, options: object | undefined, known: readonly string[]): void {
  for (const name of Object.keys(options ?? {}))
    if (!known.includes(name))
      hint('unknown_name', `${creator} has no option ${shown(name)}.${meant(name, known)}`)
}

/** A name that cannot be a secret: options and events are short words. */
const shown = (name: string) => (/^[\w.*-]{1,40}$/.test(name) ? name : 'of that name')

function meant(name: string, known: readonly string[]): string {
  const [nearest = ''] = [...known].sort((one, other) => distance(name, one) - distance(name, other))
  return distance(name, nearest) <= Math.max(2, nearest.length / 3)
    ? ` Did you mean ${nearest}?`
    : ` Known are: ${known.join(', ')}.`
}

/** The edit distance of two words; letters that changed places count once, and upper case not at all. */
function distance(given: string, word: string): number {
  const [a, b] = [given.slice(0, 40).toLowerCase(), word.toLowerCase()]
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      next[j] = Math.min(
        (next[j - 1] ?? 0) + 1,
        (row[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ...(swapped ? [(before[j - 2] ?? 0) + 1] : []),
      )
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
