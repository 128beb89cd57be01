import { AuthError, InvalidTokenResponseError } from '../core/errors.ts'
import { messageOf } from '../core/messages.ts'
import { redact } from '../core/session/redact.ts'
import { isExposed } from './expose-error.ts'
import type { PackedError } from './packed-error.ts'

/** How deeply the causes of an error may be nested: they may be circular. */
const DEPTH = 4
/** Names of errors that a page may need to distinguish. A name that is not listed may be foreign text. */
const NAMES = new Set([
  ...['Error', 'TypeError', 'RangeError', 'SyntaxError', 'ReferenceError', 'URIError', 'EvalError'],
  ...['AbortError', 'TimeoutError', 'NetworkError', 'DataCloneError', 'QuotaExceededError'],
  ...['HTTPError', 'FetchError', 'AxiosError', 'OAuthError', 'ResponseBodyError'],
])
/** A code such as `invalid_grant`, `account_locked` or `ERR_NETWORK`. */
const CODE = /^[A-Za-z][A-Za-z0-9]*(?:[_.:-][A-Za-z0-9]+)*$/
const REASON = /^[A-Za-z]+(?:_[A-Za-z0-9]+)*$/
/** What RFC 6749 §5.2 allows in an `error_description`. */
const DESCRIPTION = /^[\x20-\x21\x23-\x5B\x5D-\x7E]{1,500}$/
const AUTHORIZATION = /\b(Bearer|DPoP)\s+[\w.~+/-]+=*/gi
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g

/** Headers of an error response that cross if they are of this form. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'retry-after': /^[\w ,:+-]{1,64}$/,
}
/** How much of an error body is read, in bytes, and for how long, in milliseconds. */
const BODY_LIMIT = 65_536
const BODY_TIMEOUT = 2_000

/** Words for what is wrong with a token response: those that the library itself gives to its error. */
const PROBLEMS = [
  ...['no_access_token', 'unsafe_access_token', 'unknown_token_type'],
  ...['string', 'number', 'boolean', 'undefined', 'null', 'bigint', 'symbol', 'function', 'array', 'object'],
]

/** Codes of the library's own texts about a failed refresh. */
const CAUSES = ['refresh_failed', 'no_answer', 'offline', 'not_json']
/** What `fetch` of the platforms says of a network that fails. Clients recognize such an error by its text. */
const NETWORK = [
  'Failed to fetch',
  'network error',
  'Load failed',
  'NetworkError when attempting to fetch resource.',
  'The Internet connection appears to be offline.',
  'The network connection was lost.',
  'fetch failed',
  'terminated',
]

/** The allow-list: what of an error leaves the worker, and in which form. */
const FIELDS: Readonly<Record<string, (value: unknown) => unknown>> = {
  error: codeIn,
  error_description: descriptionIn,
  code: (value) => (isStatus(value) ? value : codeIn(value)),
  status: (value) => (isStatus(value) ? value : undefined),
}

/**
 * Converts a thrown value into a message without secrets. An error of the app's `signIn` may quote the request or the
 * response, and with it a token. So only an allow-list leaves the worker, or what the app has exposed.
 */
export async function packError(error: unknown): Promise<PackedError> {
  try {
    if (isExposed(error)) return await packExposed(error as object)
    if (isResponse(error)) return await packResponse(error)
    return packValue(error, DEPTH)
  } catch {
    // A getter of the thrown value throws, or it cannot be copied.
    return packUnknown()
  }
}

const packUnknown = (): PackedError => ({ kind: 'auth', code: 'worker_failed', reason: 'thrown' })

async function packExposed(error: object): Promise<PackedError> {
  if (isResponse(error)) {
    const { status, statusText, headers } = error
    return { kind: 'response', status, statusText, headers: [...headers], body: await readBody(error) }
  }
  if (!isError(error)) return { kind: 'value', value: structuredClone(error) }
  const { name, message } = error
  return {
    kind: 'error',
    name: String(name),
    message: String(message),
    fields: structuredClone({ ...error }),
  }
}

async function packResponse(response: Response): Promise<PackedError> {
  const { status, ok, headers } = response
  return {
    kind: 'response',
    status,
    statusText: '',
    headers: Object.entries(HEADERS).flatMap(([name, form]): [string, string][] => {
      const value = headers.get(name)
      return value !== null && form.test(value) ? [[name, value]] : []
    }),
    // A 2xx response to a sign-in contains the tokens.
    body: ok ? '' : fieldsOfJson(await readBody(response)),
  }
}

/** Reads the start of a body, in bounded time. */
async function readBody(response: Response): Promise<string> {
  if (!response.body || response.bodyUsed) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  const stop = () => void reader.cancel().catch(() => {})
  const timer = setTimeout(stop, BODY_TIMEOUT)
  let text = ''
  let length = 0
  try {
    while (length < BODY_LIMIT) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.byteLength
      text += decoder.decode(value, { stream: true })
    }
  } catch {
    // What has arrived is used.
  } finally {
    clearTimeout(timer)
    stop()
  }
  return text.slice(0, BODY_LIMIT)
}

function fieldsOfJson(text: string): string {
  try {
    const fields = fieldsOf(JSON.parse(text))
    return fields ? JSON.stringify(fields) : ''
  } catch {
    return ''
  }
}

function packValue(error: unknown, depth: number): PackedError {
  if (error instanceof AuthError) return packAuthError(error, depth)
  const fields = fieldsOf(error)
  if (!isError(error)) return fields ? { kind: 'value', value: fields } : packUnknown()
  const name = NAMES.has(error.name) ? error.name : 'Error'
  const message = isKnownText(error.message) ? error.message : undefined
  // Nothing that crosses says what this error is.
  if (name === 'Error' && !fields && !message) return packUnknown()
  return {
    kind: 'error',
    name,
    ...(message && { message }),
    ...(fields && { fields }),
    ...causeOf(error, depth),
  }
}

/** Whether a text is one of the library's, or of the platform's. It is compared, so it cannot be foreign text. */
function isKnownText(text: string): boolean {
  const detail = /\d{1,3}/.exec(text)?.[0]
  return [
    ...NETWORK,
    ...CAUSES.map((code) => messageOf(code)),
    messageOf('endpoint_status', { detail }),
  ].includes(text)
}

function packAuthError(error: AuthError, depth: number): PackedError {
  const { code, reason } = error
  const detail = detailOf(error)
  return {
    kind: 'auth',
    code,
    ...(isText(reason, REASON) && { reason }),
    ...(detail !== undefined && { detail }),
    ...causeOf(error, depth),
  }
}

function causeOf({ cause }: { cause?: unknown }, depth: number): { cause?: PackedError } {
  return isError(cause) && depth > 1 ? { cause: packValue(cause, depth - 1) } : {}
}

/** What the message is about. It is found by comparison with the library's own messages, so it cannot be foreign text. */
function detailOf({ code, message }: AuthError): string | number | undefined {
  if (code === 'queue_full') return Number(/^\d{1,15}/.exec(message)?.[0] ?? 0)
  if (code !== 'invalid_token_response') return undefined
  return PROBLEMS.find((problem) => new InvalidTokenResponseError(problem).message === message)
}

function fieldsOf(error: unknown): Record<string, unknown> | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const known: Record<string, unknown> = {}
  for (const [name, parse] of Object.entries(FIELDS)) {
    const value = parse((error as Record<string, unknown>)[name])
    if (value !== undefined) known[name] = value
  }
  return Object.keys(known).length > 0 ? known : undefined
}

function isText(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && value.length <= 64 && form.test(value)
}

function codeIn(value: unknown): string | undefined {
  return isText(value, CODE) ? value : undefined
}

function descriptionIn(value: unknown): string | undefined {
  if (typeof value !== 'string' || !DESCRIPTION.test(value)) return undefined
  return redact(value).replace(AUTHORIZATION, '$1 [redacted]').replace(JWT, '[redacted]')
}

function isStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 1_000_000
}

const isError = (value: unknown): value is Error =>
  value instanceof Error || (typeof DOMException === 'function' && value instanceof DOMException)

const isResponse = (value: unknown): value is Response =>
  typeof Response === 'function' && value instanceof Response
