/**
 * Sign-in with any OAuth 2.1 or OpenID Connect server, over oauth4webapi.
 *
 * @module
 */
export { OAuthError } from '../core/errors.ts'
export { createOAuth, type OAuth } from './client.ts'
export { deviceGrant } from './device.ts'
export type { DPoPAlgorithm, DPoPKey, KeyStore } from './dpop/keys.ts'
export { type DPoPFetch, type DPoPOptions, type DPoPProofs, dpopProofs } from './dpop/proofs.ts'
export type { ExchangedAuth } from './grant-session.ts'
export { clientCredentials, type ExchangeOptions, type GrantPorts, tokenExchange } from './grants.ts'
export { frontChannelLogout, type SignedIn } from './logout.ts'
export { type AskOptions, handOverAnswer, offerPopups } from './offer-popups.ts'
export type {
  Authorize,
  AuthorizePage,
  DeviceCode,
  DeviceSignIn,
  OAuthOptions,
  ServerOptions,
  SignInRequest,
  TransactionStore,
} from './options.ts'
export { popupOfPage } from './popup-of-page.ts'
export { type DiscoverResourceOptions, discoverResource } from './resource.ts'
export { type StepUpRequest, stepUp } from './step-up.ts'
export { memoryTransactions, webTransactions } from './transactions.ts'
