import type { Peer } from './types.ts'

const github = (name: string) => `https://github.com/${name}`

/** What both transports of authchart claim. */
const AUTHCHART: Peer['claims'] = [
  'recovers',
  'waits',
  'attaches',
  'renews',
  'retries',
  'stores',
  'signs out',
  'signs in',
  'reads challenges',
  'limits waits',
]

/** What runs in the scoreboard. The order is that of the columns on the page. */
export const peers: readonly Peer[] = [
  {
    name: 'authchart/fetch',
    adapter: './adapters/authchart.ts#authchartFetch',
    claims: AUTHCHART,
    setUp: '`createAuth` with `refresh` and `signIn`, and `createAuthFetch` with the origin of the API.',
  },
  {
    name: 'authchart/axios',
    adapter: './adapters/authchart.ts#authchartAxios',
    claims: AUTHCHART,
    setUp: '`createAuth` with `refresh` and `signIn`, and `attachAuth` on an instance with a `baseURL`.',
  },
  {
    name: 'axios-auth-refresh',
    package: 'axios-auth-refresh',
    home: github('Flyrell/axios-auth-refresh'),
    adapter: '../peers/adapters/axios-auth-refresh.ts',
    claims: ['recovers', 'waits'],
    setUp:
      'The example of its README: `createAuthRefresh`, and a request interceptor of the app that attaches the token.',
    variants: { '`deduplicateRefresh: false`': { deduplicateRefresh: false } },
  },
  {
    name: 'axios-refresh-me',
    package: 'axios-refresh-me',
    home: github('D4r1inG/axios-refresh-me'),
    adapter: '../peers/adapters/axios-refresh-me.ts',
    claims: ['recovers', 'waits'],
    setUp:
      'The example of its README: `use` with `refreshHandler`, a request interceptor of the app, and `getInstance`.',
    variants: { '`combineAbortSignals: true`': { combineAbortSignals: true } },
  },
  {
    name: 'axios-jwt',
    package: 'axios-jwt',
    home: github('jetbridge/axios-jwt'),
    adapter: '../peers/adapters/axios-jwt.ts',
    claims: ['waits', 'attaches', 'renews', 'stores', 'signs out', 'signs in'],
    jwt: true,
    setUp:
      '`applyAuthTokenInterceptor` with `requestRefresh` that returns both tokens and a storage in memory; `setAuthTokens` and `clearAuthTokens` as in its README.',
  },
  {
    name: 'oauth2-client',
    package: '@badgateway/oauth2-client',
    home: github('badgateway/oauth2-client'),
    adapter: '../peers/adapters/oauth2-client.ts',
    claims: ['recovers', 'attaches', 'renews', 'stores'],
    setUp:
      '`OAuth2Fetch` over `OAuth2Client`, with `getStoredToken` and `storeToken`. `getNewToken` returns `null`, because only a person could sign in again.',
  },
  {
    name: 'supertokens-website',
    package: 'supertokens-website',
    home: github('supertokens/supertokens-website'),
    adapter: '../peers/adapters/supertokens.ts',
    claims: ['recovers', 'attaches', 'stores', 'signs out', 'signs in'],
    ownServer: true,
    setUp:
      "`init` with `tokenTransferMethod: 'header'`, because Node stores no cookies; a server that speaks its protocol.",
  },
  {
    name: 'supabase auth-js',
    package: '@supabase/auth-js',
    home: github('supabase/supabase-js'),
    adapter: '../peers/adapters/supabase.ts',
    claims: ['renews', 'retries', 'stores', 'signs out', 'signs in'],
    ownServer: true,
    setUp:
      '`AuthClient`, `signInWithPassword`; requests attach the token of `getSession()`, as supabase-js does; a server that speaks its protocol.',
  },
  {
    name: 'oidc-client-ts',
    package: 'oidc-client-ts',
    home: github('authts/oidc-client-ts'),
    adapter: '../peers/adapters/oidc-client.ts',
    claims: ['stores', 'signs out', 'signs in'],
    setUp:
      '`UserManager` with `automaticSilentRenew`, sign-in by `signinResourceOwnerCredentials`; requests attach the token of `getUser()`; a refresh is started by `signinSilent()`.',
  },
  {
    name: 'auth0-spa-js',
    package: '@auth0/auth0-spa-js',
    home: github('auth0/auth0-spa-js'),
    adapter: '../peers/adapters/auth0.ts',
    claims: ['attaches', 'renews', 'stores', 'signs out'],
    ownServer: true,
    setUp:
      '`Auth0Client` with `useRefreshTokens: true`, because iframes need a browser; sign-in by redirect, whose answer is given to `handleRedirectCallback`; requests by `createFetcher` with the origin as `baseUrl`; a server that speaks its protocol.',
  },
  {
    name: 'hand-written axios',
    adapter: '../peers/adapters/hand-written-axios.ts',
    claims: ['recovers', 'attaches'],
    setUp: 'The interceptor of countless articles: `isRefreshing`, `failedQueue`, `_retry`.',
  },
  {
    name: 'hand-written fetch',
    adapter: '../peers/adapters/hand-written-fetch.ts',
    claims: ['recovers', 'attaches'],
    setUp: 'The wrapper of countless articles: send, refresh after a 401, send again.',
  },
]
