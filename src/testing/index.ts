/**
 * Tools for tests of apps and transports that use authchart.
 *
 * @module
 */
export type { AnyClaims, TestBedCredentials } from './bed/bed-users.ts'
export type { EndpointMode } from './bed/endpoint-mode.ts'
export { inState } from './bed/in-state.ts'
export { createTestBed, type Observed, type TestBed, type TestBedOptions } from './bed/test-bed.ts'
export { testBedDrivers } from './bed/test-bed-drivers.ts'
export type { TestEnvironment } from './bed/test-environment.ts'
export type { TestStore } from './bed/test-store.ts'
export { describeTransport } from './conformance/describe-transport.ts'
export type {
  DescribeTransportOptions,
  TransportAnswer,
  TransportClient,
  TransportFactory,
  TransportHooks,
  TransportMatchers,
  TransportRequest,
} from './conformance/types.ts'
export {
  type AuthTestModel,
  type AuthTestModelOptions,
  authTestModel,
  type DrivenStep,
  type Expected,
  type TestPath,
} from './model/auth-test-model.ts'
export { type AuthCoverage, type CoverageRecorder, type Covered, createCoverage } from './model/coverage.ts'
export type { ModelEventName } from './model/model-events.ts'
export type { Endpoint, ModelSettings, ModelStart, ResolvedModelSettings } from './model/model-options.ts'
export type { Outcome } from './model/model-state.ts'
export type {
  AnsweredError,
  AnsweredTokens,
  EndpointRequest,
  TokenEndpoint,
  TokenServerPaths,
} from './token-server/endpoints.ts'
export {
  createTokenServer,
  type HeldAnswerOptions,
  type HeldApiRequest,
  type HeldTokenRequest,
  type IssuedTokens,
  type ListeningTokenServer,
  type ListenOptions,
  type MalformedAnswer,
  type TokenFailure,
  type TokenGrant,
  type TokenOwner,
  type TokenServer,
  type TokenServerCounters,
  type TokenServerOptions,
  type TokenServerRequest,
  type TokenServerRoute,
  type TokenServerScript,
} from './token-server/token-server.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
