import type { ChartContext } from '../../../machines/vocabulary.ts'
import {
  type AuthError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionExpiredError,
  SignedOutError,
} from '../errors.ts'
import type { RequestMode } from './request-mode.ts'

/** The error of a request that arrives after the session has ended. */
export const sessionEnded = (
  { status, reason }: Pick<ChartContext, 'status' | 'reason'>,
  cause?: unknown,
): AuthError =>
  status === 'expired' ? new SessionExpiredError({ reason, cause }) : new SignedOutError({ reason })

/** The error of a request that was made in a session which has ended, and must not be sent in what came after it. */
export const anotherSession = (mode: RequestMode): AuthError =>
  new SignedOutError({ reason: mode === 'anonymous' ? 'signed_out' : 'user_changed' })

/** The error of a request that waited until the last attempt to refresh failed. */
export const refreshUnavailable = ({ failure }: Pick<ChartContext, 'failure'>, cause: unknown): AuthError =>
  failure?.reason === 'timeout'
    ? new RefreshTimeoutError({ reason: failure.reason, cause })
    : new RefreshUnavailableError({ reason: failure?.reason, cause })
