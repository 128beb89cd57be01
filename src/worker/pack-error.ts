import { AuthError } from '../core/errors.ts'
import { redact } from '../core/session/redact.ts'
import type { PackedError, Scalar } from './packed-error.ts'

/** Fields that errors of HTTP clients and OAuth libraries have, and that contain no secret. */
const DETAILS = 'code status statusCode statusText statusMessage error error_description'.split(' ')
/** Response headers that an app may need in order to handle an error. */
const HEADERS = ['content-type', 'retry-after', 'www-authenticate']
/** The maximum nesting depth, because a thrown value may contain circular references. */
const DEPTH = 4

const AUTHORIZATION = /\b(Bearer|DPoP)\s+[\w.~+/-]+=*/gi
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g

const clean = (text: unknown) =>
  redact(String(text), []).replace(AUTHORIZATION, '$1 [redacted]').replace(JWT, '[redacted]')

/**
 * Converts a thrown value into a message without secrets. An error of the app's `signIn` may quote the request or the
 * response, and with it a token. Only the name, the message and a few fields of an error leave the worker. Of an error
 * `Response`, its status, body and some headers leave it.
 */
export async function packError(error: unknown): Promise<PackedError> {
  if (isResponse(error)) {
    const { status, statusText, ok, headers } = error
    return {
      kind: 'response',
      status,
      statusText,
      headers: HEADERS.flatMap((name): [string, string][] => {
        const value = headers.get(name)
        return value === null ? [] : [[name, clean(value)]]
      }),
      // A 2xx response to a sign-in contains the tokens. They must not leave the worker.
      body: ok || error.bodyUsed ? '' : clean(await error.text().catch(() => '')),
    }
  }
  return packValue(error, DEPTH)
}

function packValue(error: unknown, depth: number): PackedError {
  if (!isError(error)) return { kind: 'value', value: cleanValue(error, depth) }
  const { cause } = error as { cause?: unknown }
  const fields = error as unknown as Record<string, unknown>
  const own = error instanceof AuthError
  const details = own ? [] : DETAILS.filter((name) => isScalar(fields[name]) && fields[name] !== undefined)
  return {
    kind: 'error',
    name: String(error.name),
    message: clean(error.message),
    ...(own && { code: error.code, reason: error.reason }),
    ...(details.length > 0 && {
      details: Object.fromEntries(details.map((name) => [name, cleanValue(fields[name], 1) as Scalar])),
    }),
    ...(isError(cause) && depth > 1 && { cause: packValue(cause, depth - 1) }),
  }
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || /^(string|number|boolean|undefined)$/.test(typeof value)

/** Redacts data such as `{ error: 'invalid_grant' }`. It recognizes tokens by their field names and by their format. */
function cleanValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return clean(value)
  if (isScalar(value)) return value
  if (typeof value !== 'object' || value === null || depth === 0) return undefined
  if (Array.isArray(value)) return value.map((entry) => cleanValue(entry, depth - 1))
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [
      name,
      /token|secret|password|assertion|authorization|cookie|verifier/i.test(name) && !isScalarButText(entry)
        ? '[redacted]'
        : cleanValue(entry, depth - 1),
    ]),
  )
}

const isScalarButText = (value: unknown) => typeof value !== 'string' && isScalar(value)

const isError = (value: unknown): value is Error =>
  value instanceof Error || (typeof DOMException === 'function' && value instanceof DOMException)

const isResponse = (value: unknown): value is Response =>
  typeof Response === 'function' && value instanceof Response
