import type { AuthorizationServer, ClientAuth } from 'oauth4webapi'
import type { Clock, TokenResponse } from '../core/ports.ts'
import type { PopupWindow } from '../environment/global-types.ts'
import type { DPoPProofs } from './dpop/proofs.ts'

/** What is known of the server and of the client that is registered there. */
export interface ServerOptions {
  /** The issuer identifier. Its metadata is requested when it is first needed (RFC 8414, OpenID Connect Discovery). */
  readonly issuer: string | URL
  /** The metadata itself, if you have it. Then none is requested. */
  readonly server?: AuthorizationServer
  /** The client identifier, as the server has registered it (RFC 6749 §2.2). */
  readonly clientId: string
  /**
   * How the client authenticates, as oauth4webapi makes it: `ClientSecretBasic(secret)`, `PrivateKeyJwt(key)`, … Default: `None()`,
   * for a public client.
   */
  readonly clientAuth?: ClientAuth
  /** Default: `'openid'` for sign-ins of users, nothing for `clientCredentials` and `tokenExchange`. */
  readonly scope?: string
  /** The APIs that the access token is for (RFC 8707). */
  readonly resource?: string | readonly string[]
  /** Binds the tokens to a key (RFC 9449): `dpopProofs()`. */
  readonly dpop?: DPoPProofs
  /** Also uses plain http with other machines. This machine needs no permission. Default: `false`. */
  readonly allowInsecure?: boolean
  /** Sends the requests. Use one without a session in it. Default: the `fetch` of the runtime. */
  readonly fetch?: typeof fetch
  /** Default: the clock of the system. */
  readonly clock?: Clock
}

/** Options of `createOAuth`. */
export interface OAuthOptions extends ServerOptions {
  /**
   * Further APIs that the user is asked to grant access to at the sign-in (RFC 8707 §2.1): those of `createBranch`. The access
   * token of the session itself is for `resource`, which many servers then require.
   */
  readonly branchResource?: string | readonly string[]
  /** The page that the server sends the answer to, exactly as it is registered. Needed for `redirect`, `popup` and `silent`. */
  readonly redirectUri?: string
  /** Where the server sends the user after `signOutUrl`, as it is registered. */
  readonly postLogoutRedirectUri?: string
  /** Sends the parameters to the server first (RFC 9126). `'auto'`: if the server requires it. Default: `'auto'`. */
  readonly par?: 'auto' | 'always' | 'never'
  /** The store of sign-ins in progress. Default: `localStorage` of a page, or memory. */
  readonly transactions?: TransactionStore
}

/**
 * Stores sign-ins in progress: one short text for each. `localStorage` and `sessionStorage` fit, through `webTransactions()`.
 * Any method may return a promise.
 */
export interface TransactionStore {
  /** Returns the text that `write` was given, or nothing. Any other value counts as nothing. */
  read(key: string): unknown
  /**
   * Stores a text, in the place of the one before. It holds the PKCE verifier until the answer is used: treat it as a
   * secret.
   */
  write(key: string, text: string): unknown
  /** Removes a text. A missing text is not an error. */
  remove(key: string): unknown
  /** The keys of all texts that were written. */
  keys(): Iterable<string> | PromiseLike<Iterable<string>>
}

/** What a sign-in may ask of the server. */
export interface Authorize {
  /** Instead of the option `scope`. */
  readonly scope?: string
  /** How the user must authenticate (RFC 9470 §4). */
  readonly acrValues?: string
  /** The user must have authenticated within this time, in seconds. The answer is checked. */
  readonly maxAge?: number
  /** `'login'`, `'consent'`, `'select_account'`, … (OpenID Connect Core §3.1.2.1). */
  readonly prompt?: string
  /** Names the user to the server, for example by a mail address (OpenID Connect Core §3.1.2.1). */
  readonly loginHint?: string
  /**
   * The user who has to sign in, by issuer and subject of an ID token. Another one is refused with the reason `another_user`, and
   * the tokens are revoked. `scope` must contain `openid`.
   */
  readonly user?: {
    /** The issuer of the ID token. */
    readonly iss: string
    /** The subject of the ID token: unique within its issuer (OpenID Connect Core §5.7). */
    readonly sub: string
  }
  /** Other parameters. They cannot replace those that this library sets. */
  readonly extra?: Readonly<Record<string, string>>
}

/** A sign-in that ends at the redirect URI. */
export interface AuthorizePage extends Authorize {
  /** A path of the app to go on with. `oauth.returnTo` has it when the user is back. */
  readonly returnTo?: string
  /** The store of this sign-in, instead of the option: a server uses cookies of the user's browser. */
  readonly transactions?: TransactionStore
}

/** What `auth.signIn()` is given. */
export type SignInRequest =
  | ({
      /** Leaves the page for that of the server. */
      readonly via: 'redirect'
    } & AuthorizePage)
  | ({
      /** In a window that `oauth.openPopup()` opened, in the same click. */
      readonly via: 'popup'
      /** What `oauth.openPopup()` returned. Two minutes after the user closes it, the reason is `popup_closed`. */
      readonly window: PopupWindow
    } & Authorize)
  | {
      /** On the page of the redirect URI: redeems the answer. */
      readonly via: 'callback'
      /** The address with the answer in its query. Default: that of the page. */
      readonly url?: string | URL
      /** As in `authorizationUrl`. */
      readonly transactions?: TransactionStore
    }
  | ({
      /** Without any question to the user, by a redirect with `prompt=none`; once in each visit. */
      readonly via: 'silent'
    } & AuthorizePage)
  | ({
      /** For machines without a browser (RFC 8628): the user enters a code on another one. Give it `deviceGrant`. */
      readonly via: (...connection: never) => Promise<TokenResponse>
    } & DeviceSignIn)

/** A sign-in by a code that the user enters on another machine. */
export interface DeviceSignIn {
  /** Shows the code to the user. */
  readonly onCode: (code: DeviceCode) => void
  /** Instead of the option `scope`. */
  readonly scope?: string
}

/** What the user of a device needs to know (RFC 8628 §3.2). */
export interface DeviceCode {
  /** The code that the user enters at `verificationUri`. Show it exactly as it is. */
  readonly userCode: string
  /** The page where the user enters the code. */
  readonly verificationUri: string
  /** The same page with the code in its address, for a QR code. */
  readonly verificationUriComplete: string | undefined
  /** When the code expires, in milliseconds since the Unix epoch. */
  readonly expiresAt: number
}
