/** Creates the session of a tab from options that can be passed from the test to the page. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import {
  type Auth,
  type AuthOptions,
  createAuth,
  fromCookie,
  type SessionLimitsOptions,
  type StorageFeature,
  sessionLimits,
  type TokenResponse,
} from '../../src/index.ts'
import { encryptedStorage } from '../../src/storage/encrypted.ts'
import { webStorage } from '../../src/storage/web.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

export interface TabOptions {
  /** The tokens of a sign-in. Without them the tab restores the session from the store. */
  readonly tokens?: TokenResponse
  /** The kind of store. Default: `'web'`, which is localStorage. `'tab'` is sessionStorage. */
  readonly store?: 'web' | 'tab' | 'encrypted' | 'memory'
  /** The key of the session in the store. Default: that of the library. */
  readonly key?: string
  /** Whether the server keeps the refresh token in a cookie. */
  readonly cookie?: boolean
  /** Whether the tabs have a coordinator. Default: `true`. */
  readonly coordinated?: boolean
  /** Whether the coordinator uses locks or leases. Default: `true`. */
  readonly turns?: boolean
  /** Whether the store notifies the tab of changes of other tabs. Default: `true`. */
  readonly storeNotifies?: boolean
  /** Options of `createAuth` that are plain data. */
  readonly auth?:
    | Pick<
        AuthOptions,
        'persist' | 'timeouts' | 'retry' | 'refreshAhead' | 'refreshOn' | 'ambiguousRefresh' | 'whenExpired'
      >
    | undefined
  /** The limits of the session. Default: none. */
  readonly limits?: SessionLimitsOptions
}

export interface TabSession {
  readonly auth: Auth<string>
  readonly send: typeof fetch
  /** How often the `refresh` function was called. */
  readonly refreshCalls: () => number
}

/** Calls the token endpoint. In cookie mode it sends the cookie, and a header that no form can send. */
function tokenEndpoint(server: string, cookie: boolean) {
  const mode: RequestInit = cookie
    ? { credentials: 'include', headers: { 'x-requested-by': 'authchart' } }
    : { credentials: 'omit' }
  return async (path: string, fields: Record<string, string>, signal: AbortSignal) => {
    const body = new URLSearchParams({ ...fields, ...(cookie && { cookie: '1' }) })
    const response = await fetch(server + path, { ...mode, method: 'POST', signal, body })
    if (!response.ok) throw response
    return response
  }
}

function storeFor({
  store = 'web',
  storeNotifies = true,
  key = 'authchart',
}: TabOptions): StorageFeature | undefined {
  if (store === 'memory') return undefined
  if (store === 'encrypted') return encryptedStorage()
  if (store === 'tab') return webStorage(() => sessionStorage, { key })
  const { subscribe, ...silent } = webStorage(() => localStorage, { key })
  return { ...silent, ...(storeNotifies && subscribe && { subscribe }) }
}

export function createTabSession(server: string, options: TabOptions): TabSession {
  const { tokens, cookie = false, coordinated = true, turns = true } = options
  const post = tokenEndpoint(server, cookie)
  const storage = storeFor(options)
  let refreshCalls = 0
  const auth = createAuth<string>({
    ...(storage && { storage }),
    ...(coordinated && { coordinator: tabCoordinator(turns ? {} : { locks: null, storage: null }) }),
    signIn: async (username, { signal }) => {
      const fields = { grant_type: 'password', username, password: 'correct' }
      return { ...(await (await post('/token', fields, signal)).json()), subject: username }
    },
    refresh: async ({ refreshToken, signal }) => {
      refreshCalls++
      const presented = refreshToken === undefined ? {} : { refresh_token: refreshToken }
      return (await post('/token', { grant_type: 'refresh_token', ...presented }, signal)).json()
    },
    ...(cookie && {
      silentSignIn: fromCookie(),
      revoke: (_, { signal }) => post('/token/revoke', {}, signal),
    }),
    ...(options.limits && { limits: sessionLimits(options.limits) }),
    ...(tokens && { initialTokens: tokens }),
    historyLimit: 1_000,
    ...options.auth,
  })
  return {
    auth,
    send: createAuthFetch(auth, { origins: [server] }),
    refreshCalls: () => refreshCalls,
  }
}
