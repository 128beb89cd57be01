/**
 * The token lifecycle of a session, as one statechart.
 *
 * @module
 */
export type {
  AuthEmitted,
  AuthEvent,
  AuthFacts,
  ChartContext,
  Reason,
  RefreshFailure,
  RefreshTrigger,
  TokenFacts,
} from '../machines/index.ts'
export type { AccessTokenOptions, Auth, AuthEventMap, AuthHandle, AuthState } from './core/auth.ts'
export type { BranchableAuth, BranchOptions } from './core/create-branch.ts'
export {
  AuthError,
  type AuthErrorCode,
  type AuthErrorOptions,
  DisposedError,
  HoldTimeoutError,
  InvalidTokenResponseError,
  OAuthError,
  OwnClientError,
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
export type {
  CookieFeature,
  CoordinatorFeature,
  LimitsFeature,
  ProofFeature,
  StorageFeature,
} from './core/features/feature.ts'
export { defineProof } from './core/features/proof.ts'
export { type SessionLimitsOptions, sessionLimits } from './core/features/session-limits.ts'
export { defineCoordinator, defineStorage, fromCookie } from './core/features/share.ts'
export { onStepUp, type StepUpAuth, type StepUpHandler, type StepUpOptions } from './core/on-step-up.ts'
export type {
  AuthOptions,
  PersistMode,
  RefreshRequest,
  RevocableTokens,
  SignInOptions,
  TokenAnswer,
} from './core/options.ts'
export type {
  AbortSignalLike,
  BranchRequest,
  Clock,
  Coordinator,
  CoordinatorMessage,
  EndedSession,
  Environment,
  EnvironmentSignal,
  FailureVerdict,
  Replaced,
  Session,
  SessionRecord,
  SessionStorage,
  Signal,
  StoredRotation,
  TokenResponse,
  Turn,
  TurnWait,
  UserFacts,
} from './core/ports.ts'
export type { Proof, ProofAnswer, ProofPort, ProofRequest } from './core/proof-port.ts'
export { bearerRequest } from './core/requests/bearer-request.ts'
export { type Challenge, readChallenge, type StepUp } from './core/requests/challenge.ts'
export type { BearerRequest, Reply, SentProof } from './core/requests/transport-request.ts'
export { isSessionError } from './core/session-error.ts'
export { createAuth, createBranch } from './defaults.ts'
export { browserEnvironment } from './environment/browser.ts'
