import { refreshByFetch, requestByFetch } from '../../scoreboard/clients.ts'
import type { Adapter, TokenAnswer } from '../../scoreboard/types.ts'

/** The wrapper that articles show: send, refresh after a 401, send again. */
export const adapter: Adapter = {
  open({ origin, issue }) {
    let tokens: TokenAnswer | undefined

    const send = (url: string, init: RequestInit) => {
      const headers = new Headers(init.headers)
      if (tokens) headers.set('authorization', `Bearer ${tokens.access_token}`)
      return fetch(url, { ...init, headers })
    }

    const refresh = async () => {
      const response = await refreshByFetch(origin, tokens?.refresh_token ?? '')
      if (!response.ok) {
        tokens = undefined
        throw new Error('The session has expired')
      }
      tokens = (await response.json()) as TokenAnswer
    }

    return {
      async signIn(user) {
        tokens = issue(user)
      },
      request: requestByFetch(origin, async (url, init) => {
        const response = await send(url, init)
        if (response.status !== 401) return response
        await refresh()
        return send(url, init)
      }),
      signOut: async () => {
        tokens = undefined
      },
    }
  },
}
