import axios from 'axios'
import { applyAuthTokenInterceptor, clearAuthTokens, setAuthTokens } from 'axios-jwt'
import { requestByAxios } from '../../scoreboard/clients.ts'
import type { Adapter, TokenAnswer } from '../../scoreboard/types.ts'

/** https://github.com/jetbridge/axios-jwt#how-do-i-use-it */
export const adapter: Adapter = {
  open({ origin, issue }) {
    const stored = new Map<string, string>()
    const storage = {
      get: async (key: string) => stored.get(key) ?? null,
      set: async (key: string, value: string) => void stored.set(key, value),
      remove: async (key: string) => void stored.delete(key),
    }
    const toTokens = ({ access_token, refresh_token }: TokenAnswer) => ({
      accessToken: access_token,
      refreshToken: refresh_token,
    })
    const api = axios.create({ baseURL: origin })
    applyAuthTokenInterceptor(api, {
      requestRefresh: async (refreshToken) => {
        const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken })
        return toTokens((await axios.post<TokenAnswer>(`${origin}/token`, body)).data)
      },
      getStorage: () => storage,
    })
    return {
      signIn: (user) => setAuthTokens(toTokens(issue(user))),
      request: requestByAxios(api),
      signOut: () => clearAuthTokens(),
    }
  },
}
