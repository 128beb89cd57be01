/** What an error is about, beside its code. */
export interface MessageDetails {
  readonly reason?: string | undefined
  /** A number, or the code of a problem. */
  readonly detail?: string | number | undefined
}

/**
 * The text of an error: what is wrong and what to do about it. Production builds replace this file by
 * `messages.production.ts`.
 */
export function messageOf(code: string, { reason, detail }: MessageDetails = {}): string {
  const text = MESSAGES[code]
  return text ? text(reason ? ` (${reason})` : '', String(detail)) : code
}

const MESSAGES: { readonly [code: string]: (reason: string, detail: string) => string } = {
  session_expired: (reason) => `The session has expired${reason}. Sign in again.`,
  signed_out: (reason) =>
    reason === ' (superseded)'
      ? 'Another sign-in replaced this one.'
      : `The request needs a signed-in user${reason}. Sign in first.`,
  refresh_unavailable: refreshUnavailable,
  refresh_timeout: refreshUnavailable,
  sign_in_timeout: () => 'The sign-in got no answer within timeouts.signIn. Try again.',
  hold_timeout: () => 'The request waited too long for a token. Try again later, or raise timeouts.hold.',
  queue_full: (_, limit) =>
    `${limit} requests wait for a token already. Send fewer at once, or raise queueLimit.`,
  invalid_token_response: (_, problem) =>
    `The token response cannot be used: ${PROBLEMS[problem] ?? `it is ${problem}, not an object`}. Return what the token endpoint answered (RFC 6749 §5.1).`,
  disposed: () => 'This auth was disposed. Create a new one.',
  own_client: () =>
    'A refresh, signIn or revoke function used a client of its own session, and would wait for itself. Send by another client, such as plain fetch.',
  token_confined: () =>
    'The token does not leave its worker. Send the request with a transport, such as createAuthFetch(auth).',
  oauth_failed: (reason) => `The authorization failed${reason}. Start it again.`,
  worker_failed: (reason) =>
    WORKER_PROBLEMS[reason] ?? `The worker of this session does not answer${reason}. Reload the page.`,

  // Causes of a failed refresh.
  ambiguous: () => 'The refresh token may be spent: another process sent it and vanished',
  refresh_failed: () => 'The refresh function failed',
  no_answer: () =>
    'The refresh function got no answer within timeouts.refresh. If it sends by a client of this session, it waits for itself',
  lock_unavailable: () =>
    'The lock of the session was not free within timeouts.lock, or its store does not answer',
  lock_lost: () => 'Another process took over the turn to refresh before the token was sent',
  key_lost: () =>
    'The key that the session is bound to is missing here, for example because site data was cleared',
  key_unavailable: () => 'The store of the key does not answer',
  not_json: () => 'The answer was not valid JSON',
  endpoint_status: (_, status) => `The token endpoint answered ${status}`,

  // Mistakes of an app.
  no_branch: () =>
    'createBranch needs the session that has the refresh token. Give it that of createAuth, and in the worker if the session is there.',
  no_target_of_branch: () =>
    'createBranch: resource, scope and extra are missing. Name the API that the token is for, or its scope.',
  no_step_up: () =>
    'onStepUp needs the session of createAuth: not a branch of it, and in the worker if the session is there.',
  no_sign_in: () => 'createAuth was given no signIn function. Give it one, or use setTokens().',
  no_origin: (_, creator) =>
    `${creator} has no origin to send tokens to: there is no page and no base URL here. Set origins: ['https://api.example.com'].`,
  wrong_origin: (_, origin) =>
    `${origin} is not the URL of an http or https origin. Write it as 'https://api.example.com'.`,
  worker_option: (_, option) => `Give ${option} to serveAuth, in the worker.`,
  no_gate: () =>
    'auth must be what createAuth() or connectAuth() of this version of authchart returned. Use one version of the package in all bundles of a page.',
  old_dispatcher: () =>
    'authInterceptor needs a dispatcher of undici 7 or later. getGlobalDispatcher() may return that of Node itself: use new Agent().',
  not_a_feature: () =>
    'createAuth was given a plain object for a feature. Make it with a function of the library, such as defineStorage().',
  no_target: () =>
    'The token is bound to a key, and this transport does not say what to prove. Give its requests method and url.',
  no_method: (_, method) => `${method} must be a function.`,
}

/** What a worker that answers can complain about. */
const WORKER_PROBLEMS: { readonly [reason: string]: string } = {
  ' (refused)':
    'The worker does not send this request. It serves only its origins, and not the endpoints of the session. Send the request without the session (exclude), or name its URL in sharedEndpoints of serveAuth.',
  ' (thrown)':
    'An error was thrown in the worker. Its text stays there, because it may quote a token. To see it here, pass the error to exposeError() in the worker.',
  ' (garbled)': 'A message between the page and its worker could not be read. Send only what can be cloned.',
}

/** What can be wrong with a token response. */
const PROBLEMS: { readonly [problem: string]: string } = {
  not_json: 'it is not JSON',
  no_access_token: 'it has no access_token',
  unsafe_access_token: 'its access_token is not a string of visible ASCII characters',
  unknown_token_type: 'its token_type is neither Bearer nor, with the option proof, DPoP',
}

function refreshUnavailable(reason: string): string {
  return `The token cannot be refreshed at the moment${reason}. The session is kept; try again later.`
}
