import * as oauth from 'oauth4webapi'
import type { RefreshRequest, RevocableTokens, Signal } from '../../src/index.ts'

/**
 * A public client of an OAuth 2.0 server, written with oauth4webapi: the three functions for `createAuth`.
 */
export async function createOAuthClient(issuer: string, clientId: string, redirectUri: string) {
  const client: oauth.Client = { client_id: clientId }
  const none = oauth.None()
  // Plain http is acceptable on this machine only.
  const insecure = { [oauth.allowInsecureRequests]: true } as const
  const discovered = await oauth.discoveryRequest(new URL(issuer), insecure)
  const server = await oauth.processDiscoveryResponse(new URL(issuer), discovered)

  return {
    /** Authorization code with PKCE (RFC 7636). */
    async signIn({ username }: { username: string }, { signal }: { signal: Signal }) {
      const verifier = oauth.generateRandomCodeVerifier()
      const state = oauth.generateRandomState()
      const url = new URL(server.authorization_endpoint!)
      url.search = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: 'openid',
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        login_hint: username,
      }).toString()
      const answer = oauth.validateAuthResponse(server, client, await browse(url, redirectUri, signal), state)
      const options = { ...insecure, signal }
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        client,
        none,
        answer,
        redirectUri,
        verifier,
        options,
      )
      return oauth.processAuthorizationCodeResponse(server, client, response)
    },

    async refresh({ refreshToken = '', signal }: RefreshRequest) {
      const options = { ...insecure, signal }
      const response = await oauth.refreshTokenGrantRequest(server, client, none, refreshToken, options)
      return oauth.processRefreshTokenResponse(server, client, response)
    },

    async revoke({ accessToken, refreshToken }: RevocableTokens, { signal }: { signal: Signal }) {
      const options = { ...insecure, signal }
      const token = refreshToken ?? accessToken
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, none, token, options),
      )
    },
  }
}

/** The part of a browser that a sign-in needs: it follows redirects and stores cookies. */
async function browse(start: URL, end: string, signal: AbortSignal): Promise<URL> {
  const cookies = new Map<string, string>()
  let url = start
  for (let hops = 0; hops < 10; hops++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { redirect: 'manual', headers: { cookie }, signal })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = response.headers.get('location')
    if (!location) throw new Error(`The sign-in stopped at ${url.pathname}: ${response.status}`)
    url = new URL(location, url)
    if (url.href.startsWith(end)) return url
  }
  throw new Error('The sign-in goes in circles')
}
