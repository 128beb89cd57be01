import type { StepUpHandler } from '../core/on-step-up.ts'
import type { Signal } from '../core/ports.ts'
import type { OAuth } from './client.ts'
import { oauthError } from './failure.ts'
import type { Authorize, SignInRequest } from './options.ts'
import { isPage } from './page.ts'

/** What a step-up asks of the authorization server: what the API demands, and the user of the session. */
export type StepUpRequest = Authorize & Required<Pick<Authorize, 'scope'>>

/** The longest time that is believed, in seconds. */
const LONGEST_AGE = 1e9
/** How often a page is left for step-ups within a minute. */
const MOST = 3
/** In milliseconds. */
const MINUTE = 60_000
const LEFT = 'authchart.oauth2.stepUp'

/**
 * Answers a step-up challenge with a sign-in at the authorization server: the handler of `onStepUp`. The sign-in asks for
 * `acr_values`, `max_age` and `scope` of the challenge (RFC 9470 §4). To its scope it adds what the session has already.
 *
 * Only the user of the session may sign in. Another one is refused with the reason `another_user`, and the session stays. So
 * the session needs an ID token, which the scope `openid` brings, or the option `singleUser`.
 *
 * With `via: 'redirect'` the page is left, and what was refused with it. `auth.signIn({ via: 'callback' })` then completes the
 * sign-in, checks the user, and `oauth.returnTo` leads back to this page. If the API refuses the new tokens, too, the page is left
 * three times within a minute at most.
 *
 * @param oauth the client that the session came from
 * @param ask asks the user, and returns how to sign in; `undefined` declines. It gets what the sign-in asks for, to show it or
 * for `oauth.authorizationUrl(request)`; for `popup` and `redirect` it is added by itself, and for `deviceGrant` its scope is. `signal` aborts when nothing waits any more
 * @returns the handler. It rejects with `OAuthError`, which `onStepUp` does not report: catch it to show why
 *
 * @example
 * ```ts
 * onStepUp(auth, stepUp(oauth, async () => {
 *   await clicked(button) // Browsers open a popup only in a click.
 *   const popup = oauth.openPopup()
 *   return popup ? { via: 'popup', window: popup } : { via: 'redirect' }
 * }))
 * ```
 *
 * @see RFC 9470, RFC 6750 §3.1
 */
export function stepUp(
  oauth: OAuth,
  ask: (
    request: StepUpRequest,
    options: { readonly signal: Signal },
  ) => SignInRequest | undefined | PromiseLike<SignInRequest | undefined>,
): StepUpHandler {
  return async (
    { scope: demanded, acrValues, maxAge = -1 },
    { signal, user, singleUser, scope: granted },
  ) => {
    const { iss, sub } = user ?? {}
    const isKnown = iss !== undefined && sub !== undefined
    if (!isKnown && !singleUser) throw oauthError('user_unknown')
    const isAge = Number.isInteger(maxAge) && maxAge >= 0 && maxAge <= LONGEST_AGE
    const request: StepUpRequest = {
      scope: union(isKnown ? 'openid' : undefined, oauth.scope, granted, demanded),
      ...(isKnown && { user: { iss, sub } }),
      ...(acrValues && { acrValues }),
      ...(isAge && { maxAge }),
    }
    const how = await ask(request, { signal })
    if (!how) return undefined
    if (how.via === 'redirect' && isPage()) assertNoCircle()
    return oauth.ports.signIn(withRequest(how, request), { signal, cancelled: signal })
  }
}

const union = (...scopes: readonly (string | undefined)[]): string =>
  [...new Set(scopes.flatMap((scope) => scope?.split(/\s+/) ?? []))].filter(Boolean).join(' ')

function withRequest(how: SignInRequest, request: StepUpRequest): SignInRequest {
  if (how.via === 'callback') return how
  if ('onCode' in how) return { scope: request.scope, ...how }
  if (how.via === 'popup') return { ...request, ...how }
  return { ...(isPage() && { returnTo: here() }), ...request, ...how }
}

const here = () => location.pathname + location.search + location.hash

/**
 * Counts how often the page is left, because such a page forgets what it asked for.
 *
 * @throws OAuthError `step_up_repeated`
 */
function assertNoCircle(): void {
  const now = Date.now()
  try {
    const times = JSON.parse(sessionStorage.getItem(LEFT) ?? '[]') as number[]
    const recent = times.filter((time) => Math.abs(now - time) < MINUTE)
    if (recent.length < MOST) {
      sessionStorage.setItem(LEFT, JSON.stringify([...recent, now]))
      return
    }
  } catch {
    // The storage is blocked or full: then it is for the app to end a circle.
    return
  }
  throw oauthError('step_up_repeated')
}
