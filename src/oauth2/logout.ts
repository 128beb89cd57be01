import type { Auth } from '../core/auth.ts'
import { ID_TOKEN } from '../core/auth.ts'
import { type Connection, setAll } from './connection.ts'
import type { OAuthOptions } from './options.ts'

/** The part of an auth that a sign-out needs, whatever its credentials and claims. */
export type SignedIn = Pick<Auth<never, unknown, unknown>, 'session' | 'ready' | 'signOut'> & {
  /** @internal */
  readonly [ID_TOKEN]?: () => string | undefined
}

/** Where to send the user to end the session at the server, too (OpenID Connect RP-Initiated Logout §2). */
export async function signOutUrl(
  connection: Connection<OAuthOptions>,
  auth: SignedIn,
  state: string | undefined,
): Promise<URL | undefined> {
  await auth.ready()
  const hint = auth[ID_TOKEN]?.()
  // Whatever the server does, the app has to go on and sign out here.
  connection.renewServer()
  const server = await connection.server().catch(() => undefined)
  if (!server?.end_session_endpoint) return undefined
  const url = connection.assertSecure(server.end_session_endpoint)
  setAll(url.searchParams, {
    id_token_hint: hint,
    client_id: connection.client.client_id,
    post_logout_redirect_uri: connection.options.postLogoutRedirectUri,
    state,
  })
  return url
}

/**
 * Ends the session if the server loads this page in a frame to say so (OpenID Connect Front-Channel Logout §2). Call it on the
 * page that is registered as `frontchannel_logout_uri`.
 *
 * A session whose ID token has no `sid` goes on: then any site could end it. Register the page with
 * `frontchannel_logout_session_required`.
 *
 * @param url default: the address of the page
 * @returns whether the session was meant
 *
 * @example
 * ```ts
 * if (location.pathname === '/signed-out-elsewhere') await frontChannelLogout(auth)
 * ```
 */
export async function frontChannelLogout(
  auth: SignedIn,
  url: string | URL = location.href,
): Promise<boolean> {
  await auth.ready()
  const { searchParams } = new URL(url)
  const claims = Object(auth.session?.claims) as Partial<Record<'iss' | 'sid', unknown>>
  // Any site may open this page. Only the server and this app know the `sid` of the session.
  const isMeant =
    claims.sid !== undefined &&
    searchParams.get('sid') === claims.sid &&
    (searchParams.get('iss') ?? claims.iss) === claims.iss
  if (isMeant) await auth.signOut()
  return isMeant
}
