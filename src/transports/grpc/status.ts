import type { InterceptorOptions, StatusObject } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import { isAuthError } from '../../core/errors.ts'
import { type Challenge, readChallenge } from '../../core/requests/challenge.ts'
import type { Reply, SentProof } from '../../core/requests/transport-request.ts'

/** The statuses of a refusal, and of calls that end without one of the server. */
const CANCELLED = 1
const DEADLINE_EXCEEDED = 4
const INTERNAL = 13
const UNAUTHENTICATED = 16
const HTTP: { readonly [code: number]: number } = { 7: 403, [UNAUTHENTICATED]: 401 }

/** What a status asks for. */
export const challengeOf = ({ code, metadata }: StatusObject): Challenge | undefined =>
  readChallenge(HTTP[code] as number, metadata.get('www-authenticate')[0]?.toString())

/** Whether the caller has set a token of its own. */
export const hasAuthorization = (metadata: Metadata): boolean => metadata.get('authorization').length > 0

/** A copy with the token of one sending, and the proof that belongs to it: the caller may use its own for other servers. */
export function withToken(given: Metadata, authorization: string | undefined, proof?: SentProof): Metadata {
  const metadata = given.clone()
  if (authorization !== undefined) metadata.set('authorization', authorization)
  if (proof) metadata.set('dpop', proof.header)
  return metadata
}

/** What a proof of possession needs to know of an answer: its headers, and those after it. */
export const replyOf = ({ code, metadata }: StatusObject, headers?: Metadata): Reply => ({
  status: HTTP[code] ?? 200,
  header: (name) => (metadata.get(name)[0] ?? headers?.get(name)[0])?.toString() ?? null,
})

/** The status of a call that was not sent. gRPC copies its fields to the error of the caller. */
export function statusOf(error: Error, isCancelled: boolean, left: number | undefined): StatusObject {
  const metadata = new Metadata()
  const details = error.message
  if (isCancelled) return { code: CANCELLED, details, metadata }
  // gRPC itself refuses some calls, such as those of a client that was closed.
  let code = isAuthError(error) ? UNAUTHENTICATED : INTERNAL
  if (left !== undefined && left <= EARLY) code = DEADLINE_EXCEEDED
  return Object.assign({ code, details, metadata }, { cause: error })
}

/** A timer may fire slightly before the clock reaches the time, in milliseconds. */
const EARLY = 5

/** Milliseconds until the deadline of a call. */
export function timeLeft({ deadline }: InterceptorOptions): number | undefined {
  return deadline === undefined || deadline === Number.POSITIVE_INFINITY
    ? undefined
    : Math.max(1, Number(deadline) - Date.now())
}
