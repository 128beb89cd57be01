/** The client of the provider, for the pages of the examples: it signs in with or without DPoP, and signs out there, too. */
import type { Auth } from 'authchart'
import { createOAuth, dpopProofs, type OAuth, type OAuthOptions, type SignInRequest } from 'authchart/oauth2'

const BOUND = 'example.dpop'

/** Whether the tokens are bound to a key of this browser (RFC 9449). */
export const isBound = localStorage.getItem(BOUND) !== null

export function createClient(
  issuer: string,
  { clock, ...options }: Pick<OAuthOptions, 'clock' | 'fetch'> = {},
): OAuth {
  const redirectUri = `${location.origin}/`
  // Of another tab: the session of all tabs has ended, and the next one needs the other kind of client.
  addEventListener('storage', ({ key }) => {
    if (key === BOUND) location.reload()
  })
  return createOAuth({
    issuer,
    clientId: 'example',
    redirectUri,
    postLogoutRedirectUri: redirectUri,
    scope: 'openid offline_access',
    ...(isBound && { dpop: dpopProofs(clock && { clock }) }),
    ...options,
  })
}

/** In a popup, or on the page of the provider if the browser blocks popups. Call it in the click, before anything is awaited. */
export function inPopup(oauth: OAuth): SignInRequest {
  const popup = oauth.openPopup()
  return popup ? { via: 'popup', window: popup } : { via: 'redirect' }
}

/** Tokens that are bound are of no use without the key, and the other way round: so the session ends. */
export async function bind(auth: Pick<Auth, 'signOut'>, on: boolean): Promise<void> {
  await auth.signOut()
  if (on) localStorage.setItem(BOUND, 'on')
  else localStorage.removeItem(BOUND)
  location.reload()
}

/** Signs out here and at the provider. */
export async function signOut(auth: Parameters<OAuth['signOutUrl']>[0], oauth: OAuth): Promise<void> {
  const url = await oauth.signOutUrl(auth)
  await auth.signOut()
  if (url) location.assign(url)
}
