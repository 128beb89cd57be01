import type { Reason } from '../../../machines/vocabulary.ts'
import { AuthError } from '../errors.ts'
import { messageOf } from '../messages.ts'
import type { FailureVerdict } from '../ports.ts'
import { forgetMatch, redact } from './redact.ts'
import { retryAfter } from './retry-after.ts'

/** What a failed attempt to refresh means. */
export interface FailureCause {
  readonly fatal: boolean
  /** The request was sent and no answer came. */
  readonly ambiguous: boolean
  readonly reason: Reason
  readonly status: number | undefined
  /** How long the server asked the client to wait, in milliseconds. */
  readonly retryAfter: number | undefined
  /** A copy of the error without its secrets: the original may hold the request, and with it the refresh token. */
  readonly cause: Error
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Answers that no repetition will change: RFC 6749 §5.2, OpenID Connect Core §3.1.2.6, RFC 6750 §3.1, and the word
 * GitHub uses for `invalid_grant`.
 */
const FATAL = new Set(
  (
    'invalid_grant invalid_client unauthorized_client unsupported_grant_type invalid_scope invalid_request ' +
    'invalid_token access_denied expired_token bad_refresh_token ' +
    'interaction_required login_required consent_required account_selection_required'
  ).split(' '),
)
const TRANSIENT = new Set(['temporarily_unavailable', 'server_error', 'slow_down', 'use_dpop_nonce'])
/** The connection was never made, so the token was never sent. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|UND_ERR_CONNECT_TIMEOUT)$/
const NETWORK_CODE = /^(E[A-Z]{3,}|UND_ERR_\w+|ERR_NETWORK|ERR_CANCELED)$/
const NETWORK_NAME = /^(TypeError|AbortError|TimeoutError|NetworkError|FetchError|RequestError)$/

/**
 * Reads whatever a `refresh` function threw: a `Response`, the errors of ofetch, axios, ky and oauth4webapi, a plain
 * `{ error: 'invalid_grant' }`, or anything that carries one of them as its `response` or `cause`.
 */
export async function classifyFailure(
  error: unknown,
  context: {
    now: number
    offline: boolean
    secrets: readonly (string | undefined)[]
    isFatal?: IsFatal | undefined
  },
): Promise<FailureCause> {
  const facts = await gather(error)
  const { status, oauthError } = facts
  const answered = status !== undefined || oauthError !== undefined
  const network = !answered && (facts.network || context.offline)
  const transient =
    (status !== undefined && (status >= 500 || status === 408 || status === 425 || status === 429)) ||
    (oauthError !== undefined && TRANSIENT.has(oauthError))
  const known = oauthError !== undefined && FATAL.has(oauthError)
  const refused = !transient && (known || (status === 401 && !facts.html))
  const transientReason: Reason =
    status === 429
      ? 'rate_limited'
      : transient || answered
        ? 'server_error'
        : context.offline && network
          ? 'offline'
          : facts.timeout
            ? 'timeout'
            : network
              ? 'network'
              : (facts.reason ?? 'refresh_failed')
  const fatalReason: Reason = (known && oauthError) || 'refresh_rejected'
  const fatal =
    refused ||
    saysFatal(context.isFatal, error, {
      fatal: refused,
      reason: refused ? fatalReason : transientReason,
      status,
    })
  return {
    fatal,
    ambiguous: !fatal && network && !facts.notSent,
    reason: fatal ? fatalReason : transientReason,
    status,
    retryAfter: retryAfter(facts.headers, context.now),
    cause: redactedCopy(error, status, context.secrets),
  }
}

type IsFatal = (error: unknown, verdict: FailureVerdict) => boolean | undefined

function saysFatal(isFatal: IsFatal | undefined, error: unknown, verdict: FailureVerdict): boolean {
  try {
    return isFatal?.(error, verdict) === true
  } catch {
    // A classifier that throws must not end a session.
    return false
  }
}

interface Facts {
  status?: number
  oauthError?: string
  headers?: unknown
  html?: boolean
  network?: boolean
  notSent?: boolean
  timeout?: boolean
  reason?: Reason
}

/** Errors wrap errors. Levels below this depth are not read. */
const DEPTH = 5

async function gather(error: unknown): Promise<Facts> {
  const facts: Facts = {}
  const queue: unknown[] = [error]
  for (let visited = 0; queue.length > 0 && visited < DEPTH * 2; visited++) {
    const value = queue.shift()
    if (typeof value === 'string') noteWord(facts, value)
    if (typeof value !== 'object' || value === null) continue
    const fields = value as Fields
    if (value instanceof AuthError && value.reason) facts.reason ??= value.reason
    noteStatus(facts, fields)
    noteNetwork(facts, fields)
    noteWord(facts, fields.error)
    noteWord(facts, fields.code)
    noteWord(facts, fields.message)
    noteBody(facts, fields.data)
    noteBody(facts, fields.body)
    if (typeof fields.text === 'function') noteBody(facts, await bodyOf(fields))
    queue.push(fields.response, fields.cause)
  }
  return facts
}

function noteStatus(facts: Facts, fields: Fields) {
  const status = fields.status ?? fields.statusCode
  // An opaque or failed response has the status 0.
  if (typeof status === 'number' && status >= 100) facts.status ??= status
  if (fields.headers) facts.headers ??= fields.headers
}

function noteNetwork(facts: Facts, fields: Fields) {
  const code = typeof fields.code === 'string' ? fields.code : ''
  const name = typeof fields.name === 'string' ? fields.name : ''
  if (NOT_SENT.test(code)) facts.notSent = true
  if (NETWORK_CODE.test(code) || NETWORK_NAME.test(name)) facts.network = true
  if (name === 'TimeoutError' || /^(ETIMEDOUT|ECONNABORTED)$/.test(code)) facts.timeout = true
  if (name === 'SyntaxError') facts.reason ??= 'invalid_response'
}

function noteWord(facts: Facts, word: unknown) {
  if (typeof word !== 'string') return
  if (FATAL.has(word) || TRANSIENT.has(word)) facts.oauthError ??= word
  // Apps throw `new Error('Refresh failed: invalid_grant')`. No other code is as unmistakable in a sentence.
  else if (/\binvalid_grant\b/.test(word)) {
    facts.oauthError ??= 'invalid_grant'
    forgetMatch()
  }
}

function noteBody(facts: Facts, body: unknown) {
  if (typeof body === 'string') {
    const text = body.trim()
    if (text.startsWith('<')) facts.html = true
    else if (text.startsWith('{')) {
      try {
        noteBody(facts, JSON.parse(text))
      } catch {
        // Not JSON after all.
      }
    }
  } else if (typeof body === 'object' && body !== null) {
    noteWord(facts, (body as Fields).error)
    noteWord(facts, (body as Fields).code)
  }
}

/** A `Response` can be read once, so its clone is read. */
async function bodyOf(response: Fields): Promise<unknown> {
  if (response.bodyUsed === true) return undefined
  try {
    const clone = typeof response.clone === 'function' ? response.clone() : response
    return await clone.text()
  } catch {
    return undefined
  }
}

function redactedCopy(
  error: unknown,
  status: number | undefined,
  secrets: readonly (string | undefined)[],
): Error {
  if (error instanceof AuthError) return error
  const original = (typeof error === 'object' && error !== null ? error : {}) as Fields
  const name = typeof original.name === 'string' ? original.name : 'Error'
  const text =
    typeof original.message === 'string' ? original.message : typeof error === 'string' ? error : undefined
  const message =
    // A parser quotes its input, and that was a token response.
    name === 'SyntaxError'
      ? messageOf('not_json')
      : (text ??
        (status === undefined
          ? messageOf('refresh_failed')
          : messageOf('endpoint_status', { detail: status })))
  const copy = new Error(redact(message, secrets))
  copy.name = name
  return Object.assign(
    copy,
    status !== undefined && { status },
    typeof original.code === 'string' && { code: original.code },
  )
}

/**
 * Reads what an app's function returned: a `Response`, or an error body that the app did not look at.
 *
 * @returns the token response
 * @throws the response or the body, if it is an error
 */
export async function unwrapResponse(value: unknown): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value
  const { ok, json, error, access_token, accessToken } = value as Fields
  if (typeof json === 'function' && typeof ok === 'boolean') {
    if (!ok) throw value
    return unwrapResponse(await json.call(value))
  }
  if (typeof error === 'string' && access_token === undefined && accessToken === undefined) throw value
  return value
}
