/** Makes a tab's session from options that can cross from the test into the page. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import {
  type Auth,
  type AuthOptions,
  createAuth,
  type SessionStorage,
  type TokenResponse,
} from '../../src/index.ts'
import { encryptedStorage } from '../../src/storage/encrypted.ts'
import { webStorage } from '../../src/storage/web.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

export interface TabOptions {
  /** Tokens this tab signs in with; without them it finds the session in the store. */
  readonly tokens?: TokenResponse
  /** Where the session is kept. Default: `'web'`, in localStorage. */
  readonly store?: 'web' | 'encrypted' | 'memory'
  /** Whether the refresh token lives in a cookie of the server. */
  readonly cookie?: boolean
  /** Whether the tabs know of each other at all. Default: they do. */
  readonly coordinated?: boolean
  /** Whether the tabs take turns at all. Default: they do. */
  readonly turns?: boolean
  /** Whether the store says that another tab changed it. Default: it does. */
  readonly storeTells?: boolean
  /** Options of `createAuth` that are plain data. */
  readonly auth?:
    | Pick<
        AuthOptions,
        'persist' | 'timeouts' | 'retry' | 'refreshAhead' | 'renew' | 'ambiguousRefresh' | 'limits'
      >
    | undefined
}

export interface TabSession {
  readonly auth: Auth<string>
  readonly send: typeof fetch
  /** How often the `refresh` function was called. */
  readonly refreshCalls: () => number
}

/** The token endpoint, and how a browser asks it: in cookie mode with its cookie, and with a header no form can send. */
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

function storeFor({ store = 'web', storeTells = true }: TabOptions): SessionStorage | undefined {
  if (store === 'memory') return undefined
  if (store === 'encrypted') return encryptedStorage()
  const { subscribe, ...silent } = webStorage(() => localStorage)
  return { ...silent, ...(storeTells && subscribe && { subscribe }) }
}

export function createTabSession(server: string, options: TabOptions): TabSession {
  const { tokens, cookie = false, coordinated = true, turns = true } = options
  const ask = tokenEndpoint(server, cookie)
  const storage = storeFor(options)
  let refreshCalls = 0
  const auth = createAuth<string>({
    ...(storage && { storage }),
    ...(coordinated && { coordinator: tabCoordinator(turns ? {} : { locks: null, storage: null }) }),
    signIn: async (username, { signal }) => {
      const fields = { grant_type: 'password', username, password: 'correct' }
      return { ...(await (await ask('/token', fields, signal)).json()), subject: username }
    },
    refresh: async ({ refreshToken, signal }) => {
      refreshCalls++
      const presented = refreshToken === undefined ? {} : { refresh_token: refreshToken }
      return (await ask('/token', { grant_type: 'refresh_token', ...presented }, signal)).json()
    },
    ...(cookie && { silentSignIn: true, revoke: (_, { signal }) => ask('/token/revoke', {}, signal) }),
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
