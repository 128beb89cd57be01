/**
 * The statecharts, and the words they use.
 *
 * @module
 */
export { type AuthMachine, authMachine } from './auth.machine.ts'
export type { AuthEmitted, AuthFacts } from './emitted.ts'
export { type ChartPorts, connectPorts, type RequestsPort, type SessionPort } from './ports.ts'
export { enteredStates, statePath, statePaths, topState } from './state-path.ts'
export type {
  AuthEvent,
  AuthInput,
  AuthPolicy,
  ChartContext,
  Reason,
  RefreshFailure,
  RefreshTrigger,
  SessionKey,
  SessionStatus,
  TokenFacts,
} from './vocabulary.ts'
