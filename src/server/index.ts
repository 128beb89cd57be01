/**
 * Sessions that the processes of a server share.
 *
 * @module
 */
export type { Fleet, StoredSession } from '../fleet/fleet.ts'
export { type MemoryFleetOptions, memoryFleet } from '../fleet/memory.ts'
export { createBff } from './bff/bff.ts'
export type {
  Bff,
  BffApi,
  BffAuthorize,
  BffCookieOptions,
  BffCsrfOptions,
  BffLogout,
  BffOAuth,
  BffOptions,
  BffPaths,
  CallbackCredentials,
  LogoutClaims,
  RequestHeaders,
  ServerSession,
  SignInTransactions,
} from './bff/types.ts'
export { type FleetMemory, fleetMemory } from './fleet-memory.ts'
export { type FleetSession, type FleetSessionOptions, fleetSession } from './fleet-session.ts'
export { type KeyRing, keyRing, type Secret } from './key-ring.ts'
export { createAuthPool } from './pool.ts'
export type {
  AuthPool,
  AuthPoolOptions,
  Ended,
  EndOptions,
  PoolCounts,
  PoolEvent,
  PoolEventMap,
  PooledAuth,
} from './pool-types.ts'
