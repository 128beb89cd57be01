/**
 * Tools for tests of apps and transports that use authchart.
 *
 * @module
 */
export { inState } from './bed/in-state.ts'
export { createTestBed, type Observed, type TestBed, type TestBedOptions } from './bed/test-bed.ts'
export { testBedDrivers } from './bed/test-bed-drivers.ts'
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
export type { ModelSettings, ModelStart } from './model/model-options.ts'
export type { Outcome } from './model/model-state.ts'
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
