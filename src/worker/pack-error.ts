import { AuthError } from '../core/errors.ts'
import { redact } from '../core/redact.ts'
import type { PackedError, Scalar } from './packed-error.ts'

/** What errors of HTTP clients and OAuth libraries say of themselves, and what holds no secret. */
const DETAILS = 'code status statusCode statusText statusMessage error error_description'.split(' ')
/** Headers of a refusal that an app may act on. */
const HEADERS = ['content-type', 'retry-after', 'www-authenticate']
/** Deeper than anybody looks; what was thrown may lead round in circles. */
const DEPTH = 4

const AUTHORIZATION = /\b(Bearer|DPoP)\s+[\w.~+/-]+=*/gi
const JWT = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g

const clean = (text: unknown) =>
  redact(String(text), []).replace(AUTHORIZATION, '$1 [redacted]').replace(JWT, '[redacted]')

/**
 * Makes what was thrown ready to leave the worker: what a user's `signIn` threw may quote the request, or the answer, and
 * with it a token. Of an error go the name, the message and a few facts; of a `Response` that refuses, what it says.
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
      // What a server says with a 2xx to a sign-in is what must not leave.
      body: ok || error.bodyUsed ? '' : clean(await error.text().catch(() => '')),
    }
  }
  return packPlainly(error, DEPTH)
}

function packPlainly(error: unknown, depth: number): PackedError {
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
    ...(isError(cause) && depth > 1 && { cause: packPlainly(cause, depth - 1) }),
  }
}

const isScalar = (value: unknown): value is Scalar =>
  value === null || /^(string|number|boolean|undefined)$/.test(typeof value)

/** Data such as `{ error: 'invalid_grant' }`. Tokens are known by their names, and by what they look like. */
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
