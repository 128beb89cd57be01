/**
 * The text of an `OAuthError`: what is wrong and what to do about it. Production builds replace this file by
 * `messages.production.ts`.
 */
export const textOf = (reason: string): string =>
  MESSAGES[reason] ??
  `The authorization server answered ${reason}. The list of codes in docs/oauth.md says what that means.`

const MESSAGES: { readonly [reason: string]: string } = {
  access_denied: 'The user or the server denied the sign-in.',
  already_used:
    'The answer of this sign-in was used before, and there is no session. Start the sign-in again.',
  another_user: 'Another user has signed in than the one of the session. The session is kept.',
  cancelled: 'The user came back to this page before the sign-in was complete. Start it again.',
  discovery_failed:
    'The metadata of the issuer cannot be read. Check the option issuer, or give the metadata in the option server.',
  expired_token: 'The user did not enter the code in time. Start the sign-in again.',
  id_token_expired:
    'The ID token has expired, or the user authenticated too long ago. Check the clock of this machine.',
  insecure:
    'Plain http is used with this machine only. Use https, or set allowInsecure for a server that you trust your network with.',
  invalid_client:
    'The authorization server does not accept this client. Check clientId and clientAuth, and how the client is registered there.',
  invalid_id_token:
    'The ID token does not fit this sign-in (OpenID Connect Core §3.1.3.7). Check issuer and clientId.',
  invalid_logout_token:
    'The logout token does not fit this client (OpenID Connect Back-Channel Logout §2.6).',
  invalid_response: 'The answer of the authorization server cannot be used.',
  key_lost:
    'The key that the sign-in was bound to is missing in this browser, such as after a sign-out in another tab. Start the sign-in again.',
  login_required: 'The server cannot sign the user in without a question. Use via: "redirect" or "popup".',
  network: 'The authorization server cannot be reached. Start the sign-in again.',
  popup_closed: 'The window of the sign-in was closed. Start the sign-in again.',
  registration_failed:
    'The authorization server did not register this client, or gave it a secret. Check metadata of registeredClient, or register the client by hand and give its clientId.',
  registration_unsupported:
    'The authorization server has no dynamic registration, and no client ID metadata documents or no metadataUrl was given. Register the client by hand and give its clientId.',
  resource_discovery_failed:
    'The metadata of the API cannot be read, or is for another resource (RFC 9728 §3.3). Check the URL.',
  server_error: 'The authorization server has failed, or is too busy. Start the sign-in again, later.',
  silent_tried: 'A silent sign-in was tried in this visit. Use via: "redirect" or "popup".',
  step_up_repeated:
    'The page was left for a step-up three times within a minute, and the API refuses the new tokens. Check that the server knows what the API asks for.',
  storage_failed:
    'The store of sign-ins in progress cannot be read or written: it is full or blocked. Free space in it, or give another one in the option transactions.',
  timeout: 'The authorization server did not answer in time. Start the sign-in again.',
  unknown_state:
    'This browser has not started this sign-in, or did so more than ten minutes ago. Start it again (RFC 6749 §10.12).',
  user_unknown:
    'The session has no ID token, so it cannot be checked that the same user signs in. Add openid to the option scope, or set singleUser if the app has one user only.',
  wrong_client:
    'The answer belongs to a sign-in of another client ID, which can still use it. Call signIn of the session that began it, or start the sign-in again.',
  wrong_issuer: 'The answer comes from another issuer than the sign-in was sent to (RFC 9207).',
}
