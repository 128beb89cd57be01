import type { Coordinator, SessionStorage } from '../ports.ts'
import type { ProofPort } from '../proof-port.ts'

/** The key under which a feature carries its code, so that an app loads only the features it names. */
export const ATTACH: unique symbol = Symbol.for('authchart.attach')

/** An option of `createAuth` that is more than a value. */
export interface Feature {
  /** @internal the code that the feature brings */
  readonly [ATTACH]: object
}

/** A store for `createAuth`: `webStorage()`, `encryptedStorage()`, …, or one of your own in `defineStorage()`. */
export interface StorageFeature extends SessionStorage, Feature {}

/** A coordinator for `createAuth`: `tabCoordinator()`, …, or one of your own in `defineCoordinator()`. */
export interface CoordinatorFeature extends Coordinator, Feature {}

/** Cookie mode, made by `fromCookie()`. */
export interface CookieFeature extends Feature {
  /** Distinguishes the feature from those of other options. Always `'cookie'`. */
  readonly kind: 'cookie'
}

/** Proof of possession for `createAuth`: `dpopProofs()`, or one of your own in `defineProof()`. */
export interface ProofFeature extends ProofPort, Feature {}

/** Limits of a session, made by `sessionLimits()`. */
export interface LimitsFeature extends Feature {
  /** Distinguishes the feature from those of other options. Always `'limits'`. */
  readonly kind: 'limits'
  /** How long a session may go unused, in milliseconds; `Infinity` without such a limit. */
  readonly idle: number
}
