import axios from 'axios'
import type { PeerWorld, TokenAnswer } from '../../scoreboard/types.ts'

/** The tokens of an app that stores them itself, in a variable instead of `localStorage`, and its token request by axios. */
export const tokenVariable = ({ origin, issue }: PeerWorld) => {
  let tokens: TokenAnswer | undefined
  return {
    get access() {
      return tokens?.access_token
    },
    signIn: async (user: string) => {
      tokens = issue(user)
    },
    clear: () => {
      tokens = undefined
    },
    async refresh(): Promise<TokenAnswer> {
      const body = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens?.refresh_token ?? '',
      })
      const { data } = await axios.post<TokenAnswer>(`${origin}/token`, body)
      tokens = data
      return data
    },
  }
}
