/**
 * The token lifecycle of a session, as one statechart.
 *
 * @module
 */
export type {
  AuthContext,
  AuthEmitted,
  AuthEvent,
  AuthFacts,
  ExchangeFailure,
  Reason,
  TokenFacts,
} from '../machines/index.ts'
export type { AccessTokenOptions, AnyAuth, Auth, AuthEventMap, AuthState } from './core/auth.ts'
export { bearerRequest } from './core/bearer-request.ts'
export { type Challenge, readChallenge } from './core/challenge.ts'
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorOptions,
  DisposedError,
  HoldTimeoutError,
  InvalidTokenResponseError,
  QueueFullError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionExpiredError,
  SignedOutError,
  SignInTimeoutError,
  StorageError,
  TokenConfinedError,
  WorkerError,
} from './core/errors.ts'
export type { FailureVerdict } from './core/failure.ts'
export type { AuthOptions, RefreshRequest, RenewMode, RevocableTokens } from './core/options.ts'
export type {
  AbortSignalLike,
  Clock,
  Coordinator,
  CoordinatorMessage,
  Environment,
  EnvironmentSignal,
  SessionRecord,
  SessionStorage,
  Signal,
  TokenResponse,
} from './core/ports.ts'
export type { BearerRequest } from './core/request.ts'
export type { Session } from './core/vault.ts'
export { createAuth } from './defaults.ts'
export { browserEnvironment } from './environment/browser.ts'
