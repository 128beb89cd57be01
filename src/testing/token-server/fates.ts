import { checkNumber, checkOneOf, wrongKind } from './checks.ts'
import { ConnectionDropped, jsonReply, textReply } from './replies.ts'
import type { MalformedAnswer, TokenFailure } from './script.ts'
import type { TokenServerRequest } from './types.ts'

/** What the server would do for the request. */
export type Act = () => Response
/** What becomes of a token request: whether and when the server acts on it, and what is answered. */
export type Step = (act: Act, request: TokenServerRequest) => Response | Promise<Response>

const MALFORMED: Readonly<Record<MalformedAnswer, () => Response>> = {
  html: () =>
    textReply(200, '<!doctype html><title>Sign in to this network</title>', { 'content-type': 'text/html' }),
  'bad-json': () => textReply(200, '{"access_token":"at-cut-', { 'content-type': 'application/json' }),
  'no-access-token': () => jsonReply(200, { token_type: 'Bearer', expires_in: 3600 }),
  empty: () => textReply(200, '', { 'content-type': 'application/json' }),
}

const KINDS = Object.keys(MALFORMED) as MalformedAnswer[]

export const checkStatus = (where: string, status: unknown): number => checkNumber(where, status, 200, 599)

export const dropped = (): never => {
  throw new ConnectionDropped('The token server dropped the connection')
}

/** An error answer, checked now and made anew for each request. */
export const failed = (where: string, failure: TokenFailure = {}): Step => {
  if (typeof failure !== 'object' || failure === null)
    throw wrongKind(`${where}: failure`, 'an object', failure)
  const status = checkStatus(`${where}: status`, failure.status ?? 500)
  const headers = Object.fromEntries(new Headers(failure.headers))
  const { body = { error: status >= 500 ? 'server_error' : 'invalid_request' } } = failure
  return () =>
    typeof body === 'string' ? textReply(status, body, headers) : jsonReply(status, body, headers)
}

export const malformed = (where: string, kind: MalformedAnswer): Step =>
  MALFORMED[checkOneOf(`${where}: kind`, kind, KINDS)]
