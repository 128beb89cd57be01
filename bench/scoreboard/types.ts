import type { IssuedTokens } from '../../src/testing/index.ts'

/** What a library says in its documentation that it does. A scenario fails only if the library claims all that it needs. */
export type Job =
  /** Refreshes after a 401 and repeats the request. */
  | 'recovers'
  /** Holds new requests while a refresh is running. */
  | 'waits'
  /** Puts the token on requests itself. */
  | 'attaches'
  /** Refreshes a token whose lifetime has passed before a request uses it. */
  | 'renews'
  /** Repeats a refresh that failed for a passing reason. */
  | 'retries'
  /** Takes tokens from an answer or from a function of the app, and stores them. */
  | 'stores'
  /** Signs users out. */
  | 'signs out'
  /** Signs users in without leaving the page. */
  | 'signs in'
  /** Reads the challenge of a 401 or 403: step-up (RFC 9470), `Retry-After`. */
  | 'reads challenges'
  /** Counts the wait for a token as part of the client's own timeout. */
  | 'limits waits'

export const JOBS: Readonly<Record<Job, string>> = {
  recovers: 'refreshes after a 401 and repeats the request',
  waits: 'holds new requests during a refresh',
  attaches: 'puts the token on requests',
  renews: 'refreshes an expired token before it is used',
  retries: 'repeats a refresh that failed',
  stores: 'receives and stores tokens',
  'signs out': 'signs users out',
  'signs in': 'signs users in on the page',
  'reads challenges': 'reads challenges and `Retry-After`',
  'limits waits': "counts waits as part of the client's timeout",
}

export interface PeerRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent unchanged, an object as JSON. */
  readonly body?: string | Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal
  /** The client's own timeout in milliseconds. */
  readonly timeout?: number
}

export interface PeerAnswer {
  readonly status: number
  /** The parsed JSON, the text of another body, or `undefined` for an empty one. */
  readonly json: unknown
}

/** A library set up as its documentation says, for one user in one app. */
export interface PeerClient {
  /** Signs in: by the library's own function, or as an app does that stores tokens itself. */
  signIn(user: string): Promise<unknown>
  /** Resolves for every answer of a server. Rejects with the library's error. */
  request(path: string, init?: PeerRequest): Promise<PeerAnswer>
  /** The library's own sign-out, or what its documentation says to do. */
  signOut?(): Promise<unknown>
  /** The library's own refresh, if requests do not start one. */
  refresh?(): Promise<unknown>
  close?(): unknown
}

/** What an adapter may use of the world around it. */
export interface PeerWorld {
  readonly origin: string
  /** Tokens as the app's own server would answer a sign-in. */
  issue(user: string): TokenAnswer
  /** Whether tokens that are issued now have expired already. */
  readonly expired: boolean
}

/** A token response. `expires_in` is missing if a scenario is about servers that omit it. */
export type TokenAnswer = Omit<IssuedTokens, 'expires_in'> & { readonly expires_in?: number }

export type Handle = (request: Request) => Promise<Response>

/** A way to set up a library that differs from its defaults, as its documentation describes. */
export type Variant = Readonly<Record<string, unknown>>

export interface Adapter {
  open(world: PeerWorld, variant: Variant): PeerClient | Promise<PeerClient>
  /** The routes and formats of the server that this library is made for, over those of the token server. */
  backend?(forward: Handle, world: PeerWorld): Handle
}

export interface Peer {
  /** The name in commands and tables. */
  readonly name: string
  /** The package, unless the peer is code from articles. Its version is in `bench/peers/package.json`. */
  readonly package?: string
  readonly home?: string
  /** The file of the adapter, from this folder. */
  readonly adapter: string
  readonly claims: readonly Job[]
  /** Whether the library reads access tokens, so that they must be JWTs. */
  readonly jwt?: boolean
  /** Whether the library is for one product's server, which always answers in its own format. */
  readonly ownServer?: boolean
  /** How it is set up, in one sentence. */
  readonly setUp: string
  /** Documented options that are tried if a scenario fails with the defaults: their name on the page, and their values. */
  readonly variants?: Readonly<Record<string, Variant>>
}
