/** The session of the example. An OpenID provider issues its tokens. */
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { createOAuth, dpopProofs } from 'authchart/oauth2'
import { webStorage } from 'authchart/storage'
import { tabCoordinator } from 'authchart/tabs'

const BOUND = 'example.dpop'

/** Whether the tokens are bound to a key of this browser (RFC 9449). */
export const isBound = localStorage.getItem(BOUND) !== null

const redirectUri = `${location.origin}/`

export const oauth = createOAuth({
  issuer: ISSUER,
  clientId: 'example',
  redirectUri,
  postLogoutRedirectUri: redirectUri,
  scope: 'openid offline_access',
  ...(isBound && { dpop: dpopProofs() }),
})
export const auth = createAuth({
  ...oauth.ports,
  storage: webStorage(() => localStorage),
  coordinator: tabCoordinator(),
})

/** The provider has an API, too: the claims of the user. */
export const api = createAuthFetch(auth, { origins: [ISSUER] })

/** Tokens that are bound are of no use without the key, and the other way round: so the session ends. */
export async function bind(on: boolean): Promise<void> {
  await auth.signOut()
  if (on) localStorage.setItem(BOUND, 'on')
  else localStorage.removeItem(BOUND)
  location.reload()
}

/** Signs out here and at the provider. */
export async function signOut(): Promise<void> {
  const url = await oauth.signOutUrl(auth)
  await auth.signOut()
  if (url) location.assign(url)
}
