import { Auth0Client } from '@auth0/auth0-spa-js'
import { requestByFetch } from '../../scoreboard/clients.ts'
import type { Adapter, Handle } from '../../scoreboard/types.ts'
import { pretendToBeBrowser } from '../browser.ts'
import { encode, sessionOf, tokenEndpoint, tokensIn } from '../token-endpoint.ts'

const CLIENT_ID = 'app'
const REDIRECT_URI = 'http://localhost/'

/** The library checks the claims of ID tokens, but not the signature, because they come straight from the server. */
const idToken = (iss: string, sub: string, nonce?: string): string => {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss, aud: CLIENT_ID, sub, iat: now, exp: now + 36_000, ...(nonce && { nonce }) }
  return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.${encode('signature')}`
}

interface Code {
  readonly user: string
  readonly nonce: string
}

/** https://github.com/auth0/auth0-spa-js#getting-started, …/blob/main/EXAMPLES.md: refresh tokens, createFetcher */
export const adapter: Adapter = {
  backend: (forward): Handle => {
    return async (request) => {
      const { pathname, origin } = new URL(request.url)
      if (pathname !== '/oauth/token') return forward(request)
      const endpoint = tokenEndpoint(forward, request)
      const form = new URLSearchParams(await request.text())
      const code = form.get('code')
      const given = code ? (JSON.parse(Buffer.from(code, 'base64url').toString()) as Code) : undefined
      const response = given
        ? await endpoint.signIn(given.user)
        : await endpoint.refresh(form.get('refresh_token') ?? '')
      const tokens = await tokensIn(response)
      if (!tokens) return response
      const id_token = idToken(`${origin}/`, given?.user ?? sessionOf(tokens), given?.nonce)
      return Response.json({ ...tokens, expires_in: tokens.expires_in ?? 3600, id_token, scope: 'openid' })
    }
  },
  open({ origin }) {
    pretendToBeBrowser()
    const auth0 = new Auth0Client({
      domain: origin,
      clientId: CLIENT_ID,
      useRefreshTokens: true,
      authorizationParams: { redirect_uri: REDIRECT_URI },
    })
    const fetcher = auth0.createFetcher({ baseUrl: origin })
    return {
      async signIn(user) {
        let url = ''
        await auth0.loginWithRedirect({
          openUrl: (to) => {
            url = to
          },
        })
        const { searchParams } = new URL(url)
        const code = encode({ user, nonce: searchParams.get('nonce') ?? '' } satisfies Code)
        const query = new URLSearchParams({ code, state: searchParams.get('state') ?? '' })
        await auth0.handleRedirectCallback(`${REDIRECT_URI}?${query}`)
      },
      request: requestByFetch(origin, (url, init) => fetcher.fetchWithAuth(url, init)),
      signOut: () => auth0.logout({ openUrl: false }),
    }
  },
}
