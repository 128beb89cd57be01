import { UserManager } from 'oidc-client-ts'
import type { Adapter } from '../../scoreboard/types.ts'
import { pretendToBeBrowser, requestWithToken } from '../browser.ts'

/** https://authts.github.io/oidc-client-ts/classes/UserManager.html */
export const adapter: Adapter = {
  open({ origin }) {
    pretendToBeBrowser()
    const manager = new UserManager({
      authority: origin,
      client_id: 'app',
      redirect_uri: 'http://localhost/',
      // Without `openid`, because the token server issues no ID tokens.
      scope: 'api',
      metadata: {
        issuer: origin,
        token_endpoint: `${origin}/token`,
        authorization_endpoint: `${origin}/authorize`,
        revocation_endpoint: `${origin}/revoke`,
      },
    })
    return {
      signIn: (username) =>
        manager.signinResourceOwnerCredentials({ username, password: 'correct', skipUserInfo: true }),
      request: requestWithToken(origin, async () => (await manager.getUser())?.access_token),
      refresh: () => manager.signinSilent(),
      signOut: () => manager.removeUser(),
      close: () => manager.stopSilentRenew(),
    }
  },
}
