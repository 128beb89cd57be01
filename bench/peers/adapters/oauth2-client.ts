import { OAuth2Client, OAuth2Fetch, type OAuth2Token } from '@badgateway/oauth2-client'
import { requestByFetch } from '../../scoreboard/clients.ts'
import type { Adapter } from '../../scoreboard/types.ts'

/** https://github.com/badgateway/oauth2-client#fetch-wrapper and #storing-tokens-for-later-use-with-fetchwrapper */
export const adapter: Adapter = {
  open({ origin, issue }) {
    let stored: OAuth2Token | null = null
    const client = new OAuth2Client({ server: origin, clientId: 'app', tokenEndpoint: '/token' })
    const connect = () =>
      new OAuth2Fetch({
        client,
        getNewToken: () => null,
        storeToken: (token) => {
          stored = token
        },
        getStoredToken: () => stored,
      })
    let oauth = connect()
    return {
      async signIn(user) {
        const { access_token, refresh_token, expires_in } = issue(user)
        const expiresAt = expires_in === undefined ? null : Date.now() + expires_in * 1000
        stored = { accessToken: access_token, refreshToken: refresh_token, expiresAt }
        oauth = connect()
      },
      request: requestByFetch(origin, (url, init) => oauth.fetch(url, init)),
    }
  },
}
