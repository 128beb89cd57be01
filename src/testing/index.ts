/**
 * What apps on authchart are tested with.
 *
 * @module
 */
export {
  createTokenServer,
  type IssuedTokens,
  type ListeningTokenServer,
  type MalformedAnswer,
  type TokenFailure,
  type TokenServer,
  type TokenServerCounters,
  type TokenServerOptions,
  type TokenServerRequest,
  type TokenServerScript,
} from './token-server/token-server.ts'
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts'
