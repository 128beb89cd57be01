import type { Reason } from '../../../machines/vocabulary.ts'
import { isAuthError, OwnClientError } from '../errors.ts'
import { messageOf } from '../messages.ts'
import { isObject } from '../platform/is-object.ts'
import { isConnectionLost, isNotConnected } from '../platform/network-error.ts'
import type { AbortSignalLike, FailureVerdict } from '../ports.ts'
import { forgetMatch, isWord } from './redact.ts'
import { readText } from './response-body.ts'
import { retryAfter } from './retry-after.ts'
import { invalidResponse, isInvalidResponse } from './token-response.ts'

/** What a failed attempt to refresh means. */
export interface FailureCause {
  readonly fatal: boolean
  /** The request was sent and no answer came. */
  readonly ambiguous: boolean
  readonly reason: Reason
  readonly status: number | undefined
  /** How long the server asked the client to wait, in milliseconds. */
  readonly retryAfter: number | undefined
  /** What is known of the error, in words of the library: the original may quote or hold the refresh token. */
  readonly cause: Error
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Answers that no repetition will change: RFC 6749 §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6, RFC 6750 §3.1, the word GitHub uses
 * for `invalid_grant`, and the library's own word for a key that is missing here.
 */
const FATAL = new Set<unknown>(
  (
    'invalid_grant invalid_client unauthorized_client unsupported_grant_type invalid_scope invalid_request ' +
    'invalid_token invalid_target access_denied expired_token bad_refresh_token ' +
    'interaction_required login_required consent_required account_selection_required key_lost'
  ).split(' '),
)
const TRANSIENT = new Set<unknown>(
  'temporarily_unavailable server_error slow_down use_dpop_nonce invalid_dpop_proof'.split(' '),
)
const NETWORK_CODE = /^(E[A-Z]{3,}|UND_ERR_\w+|ERR_NETWORK|ERR_CANCELED)$/
/** Words of a TypeError that code throws by itself. A network that fails has none of them in its text. */
const OWN_ERROR = 'undefined null function iterable URL'.split(' ')
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
    /** It was so before the attempt, too: then nothing was sent. */
    notSent?: boolean
    isFatal?: IsFatal | undefined
    /** Ends the reading of a body. */
    signal: AbortSignalLike
  },
): Promise<FailureCause> {
  const facts = await gather(error, context.signal)
  const { status, oauthError } = facts
  const answered = status !== undefined || oauthError !== undefined
  const network = !answered && (facts.network || context.offline)
  const transient = isTransient(status) || TRANSIENT.has(oauthError)
  const known = FATAL.has(oauthError)
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
    ambiguous: !fatal && network && !facts.notSent && !context.notSent,
    reason: fatal ? fatalReason : transientReason,
    status,
    retryAfter: retryAfter(facts.headers, context.now),
    cause: describe(error, status),
  }
}

const isTransient = (status = 0) => status >= 500 || [408, 425, 429].includes(status)

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
/** How much of a text is read, in characters. */
const MOST = 100_000

async function gather(error: unknown, signal: AbortSignalLike): Promise<Facts> {
  const facts: Facts = {}
  const queue: unknown[] = [error]
  for (let visited = 0; queue.length > 0 && visited < DEPTH * 2; visited++) {
    const value = queue.shift()
    noteWord(facts, value)
    if (!isObject(value)) continue
    const fields: Fields = value
    if (isAuthError(value) && isWord(value.reason)) facts.reason ??= value.reason
    noteStatus(facts, fields)
    noteNetwork(facts, fields)
    noteWord(facts, fields.error)
    noteWord(facts, fields.code)
    noteWord(facts, fields.message)
    noteBody(facts, fields.data)
    noteBody(facts, fields.body)
    if (typeof fields.text === 'function') noteBody(facts, await bodyOf(fields, signal))
    queue.push(fields.response, fields.cause)
  }
  return facts
}

function noteStatus(facts: Facts, fields: Fields) {
  const status = fields.status ?? fields.statusCode
  // An opaque or failed response has the status 0.
  if (Number.isInteger(status) && (status as number) >= 100 && (status as number) <= 999)
    facts.status ??= status as number
  if (fields.headers) facts.headers ??= fields.headers
}

function noteNetwork(facts: Facts, fields: Fields) {
  const code = textOf(fields.code)
  const name = textOf(fields.name)
  const message = textOf(fields.message)
  if (isNotConnected(code, message)) facts.notSent = true
  if (
    NETWORK_CODE.test(code) ||
    (NETWORK_NAME.test(name) && !isOwnError(name, message)) ||
    isConnectionLost(message)
  )
    facts.network = true
  if (name === 'TimeoutError' || /^(ETIMEDOUT|ECONNABORTED)$/.test(code)) facts.timeout = true
  if (name === 'SyntaxError') facts.reason ??= 'invalid_response'
}

/** Whether the app's function failed by itself, and sent nothing. */
const isOwnError = (name: string, message: string) =>
  name === 'TypeError' && OWN_ERROR.some((word) => message.includes(word))

function noteWord(facts: Facts, text: unknown) {
  const word = textOf(text).slice(0, MOST)
  if (FATAL.has(word) || TRANSIENT.has(word)) facts.oauthError ??= word
  // Apps throw `new Error('Refresh failed: invalid_grant')`. No other code is as unmistakable in a sentence.
  else if (/\binvalid_grant\b/.test(word)) {
    facts.oauthError ??= 'invalid_grant'
    forgetMatch()
  }
}

function noteBody(facts: Facts, body: unknown) {
  if (typeof body === 'string') {
    const text = body.slice(0, MOST).trim()
    if (text.startsWith('<')) facts.html = true
    else if (text.startsWith('{')) {
      try {
        noteBody(facts, JSON.parse(text))
      } catch {
        // Not JSON after all.
      }
    }
  } else if (isObject(body)) {
    noteWord(facts, body.error)
    noteWord(facts, body.code)
  }
}

/** A `Response` can be read once, so its clone is read. */
async function bodyOf(response: Fields, signal: AbortSignalLike): Promise<unknown> {
  try {
    return await readText(response, signal, true)
  } catch {
    return undefined
  }
}

/** Names of errors that say something without their message. */
const NAME =
  /^(?:(?:Abort|Aggregate|Axios|Canceled|Fetch|HTTP|Network|OperationProcessing|Range|Reference|Request|ResponseBody|Security|Syntax|Timeout|Type)Error|InvalidTokenResponseError)$/
/** Codes of systems and of HTTP clients. */
const CODE = /^(?:E[A-Z_]{3,20}|(?:CERT|DEPTH|ERR|HPE|OAUTH|SELF|UNABLE|UND_ERR)_[A-Z_]{2,40})$/
/** What is known of an error, in words of the library: its own text may quote a token, in any form. */
function describe(error: unknown, status: number | undefined): Error {
  if (isInvalidResponse(error) || error instanceof OwnClientError) return error
  const { name, code } = Object(error) as Fields
  const message =
    name === 'SyntaxError' ? 'not_json' : status === undefined ? 'refresh_failed' : 'endpoint_status'
  const described = new Error(messageOf(message, { detail: status }))
  return Object.assign(
    described,
    matches(NAME, name) && { name },
    status !== undefined && { status },
    matches(CODE, code) && { code },
  )
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')

/** Whether a value is a text of that form. No form is that of an empty text. */
const matches = (pattern: RegExp, value: unknown): value is string => pattern.test(textOf(value))

/**
 * Reads what an app's function returned: a `Response`, or an error body that the app did not look at.
 *
 * @param signal ends the reading of a body
 * @returns the token response
 * @throws the response or the body, if it is an error
 */
export async function unwrapResponse(value: unknown, signal: AbortSignalLike): Promise<unknown> {
  if (!isObject(value)) return value
  const { ok, json, error, access_token, accessToken } = value
  if (typeof json === 'function' && typeof ok === 'boolean') {
    if (!ok) throw value
    return unwrapResponse(await parseBody(value, json as () => unknown, signal), signal)
  }
  if (typeof error === 'string' && access_token === undefined && accessToken === undefined) throw value
  return value
}

async function parseBody(response: object, json: () => unknown, signal: AbortSignalLike): Promise<unknown> {
  const text = await readText(response, signal, false)
  try {
    return text === undefined ? await json.call(response) : JSON.parse(text)
  } catch (error) {
    // The message of a parse error may quote the token.
    throw (Object(error) as Fields).name === 'SyntaxError' ? invalidResponse('not_json') : error
  }
}
