import { createAuth, fromCookie, type RefreshRequest } from '../../src/index.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

/** The scenarios that the suite runs in a page, without Node. */
export const scenarios = {
  /** Ten minutes of a session with tokens that are valid for one minute, then a 401. */
  async session() {
    const clock = createVirtualClock()
    const server = createTokenServer({ clock, accessTokenLifetime: 60_000 })
    const auth = createAuth({
      clock,
      initialTokens: server.issue(),
      async refresh({ refreshToken = '', signal }: RefreshRequest) {
        const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
        const response = await server.fetch('/token', { method: 'POST', body, signal })
        if (!response.ok) throw response
        return response.json()
      },
    })
    const api = createAuthFetch(auth, { fetch: server.fetch, origins: [server.origin] })
    await clock.advance(10 * 60_000)
    const scheduledRefreshes = server.refreshes
    server.expireAccessTokens()
    const { status } = await api(`${server.origin}/api/me`)
    auth.dispose()
    const { refreshes, reuseDetections, expiredTokenUses } = server
    return {
      scheduledRefreshes,
      status,
      refreshes,
      reuseDetections,
      expiredTokenUses,
      pending: clock.pending,
    }
  },

  listen: () =>
    createTokenServer()
      .listen()
      .then(
        () => 'listens',
        (error: Error) => `${error.name}: ${error.message}`,
      ),

  /** A session in a cookie of the browser, from sign-in to sign-out. Returns its subject. */
  async cookie(url: string) {
    const post = async (path: string, fields: object) => {
      const body = new URLSearchParams({ cookie: '1', ...fields })
      const headers = { 'x-csrf': '1' }
      const response = await fetch(url + path, { method: 'POST', body, headers, credentials: 'include' })
      if (!response.ok) throw response
      return response
    }
    await post('/token', { grant_type: 'password', username: 'ada', password: 'correct' })
    const auth = createAuth({
      silentSignIn: fromCookie(),
      refresh: async () => (await post('/token', { grant_type: 'refresh_token' })).json(),
      revoke: () => post('/token/revoke', {}),
    })
    const api = createAuthFetch(auth, { origins: [url] })
    await auth.ready()
    await auth.refresh()
    const { subject } = await (await api(`${url}/api/me`)).json()
    await auth.signOut()
    auth.dispose()
    await post('/token', { grant_type: 'refresh_token' }).catch(() => {})
    return subject as string
  },
}

Object.assign(globalThis, { testingScenarios: scenarios })
