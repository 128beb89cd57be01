/**
 * The statecharts, and the words they speak.
 *
 * @module
 */
export { type AuthMachine, authMachine } from './auth.machine.ts'
export type {
  AuthContext,
  AuthEmitted,
  AuthEvent,
  AuthFacts,
  AuthInput,
  AuthPolicy,
  ExchangeFailure,
  Reason,
  Standing,
  TokenFacts,
} from './vocabulary.ts'
