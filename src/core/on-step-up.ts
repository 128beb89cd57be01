import type { UserNames } from '../../machines/policies.ts'
import { type Auth, REQUEST_GATE } from './auth.ts'
import { isAuthError } from './errors.ts'
import { messageOf } from './messages.ts'
import type { TokenAnswer } from './options.ts'
import { createAbortController } from './platform/globals.ts'
import { onAbort } from './platform/on-abort.ts'
import type { Signal } from './ports.ts'
import type { StepUp } from './requests/challenge.ts'
import { StepUps } from './requests/step-ups.ts'
import { continueSession } from './session/continue-session.ts'
import { unwrapResponse } from './session/failure.ts'
import { isFailure } from './session/token-request.ts'
import { portsOfSession } from './session-ports.ts'

/** What the handler of a step-up may use, beside what the server asks for. */
export interface StepUpOptions {
  /**
   * Aborts when the handler takes longer than `timeouts.signIn`, when the session ends, and when the handler is removed. Give it to
   * requests that the handler sends with this session: they would wait for the handler otherwise.
   */
  readonly signal: Signal
  /** The user of the session, who has to sign in again; `undefined` without an ID token. */
  readonly user:
    | {
        /** The issuer of the ID token; `undefined` if it names none. */
        readonly iss: string | undefined
        /** The subject of the ID token: unique within its issuer (OpenID Connect Core §5.7). */
        readonly sub: string
      }
    | undefined
  /** Whether the app has one user only: the option `singleUser`. Then tokens that name no user are accepted. */
  readonly singleUser: boolean
  /** The scope that the session has now. */
  readonly scope: string | undefined
}

/**
 * Signs the same user in again, as a server asks.
 *
 * @returns the answer of the token endpoint; nothing if the user is not asked
 */
export type StepUpHandler = (
  need: StepUp,
  options: StepUpOptions,
) => TokenAnswer | undefined | PromiseLike<TokenAnswer | undefined>

/** The session of `createAuth`. */
export type StepUpAuth = Pick<Auth<never>, 'actor' | typeof REQUEST_GATE>

/**
 * Handles the challenges that no refresh can satisfy: `insufficient_user_authentication` (RFC 9470) and `insufficient_scope`
 * (RFC 6750 §3.1). The request that was refused waits until the handler settles, and then is sent once more. All requests
 * that need the same wait for one call of the handler.
 *
 * The tokens go on with the session that there is, as those of a refresh: other tabs receive them, and no event reports
 * another sign-in. They have to belong to the user of the session. Otherwise they are revoked, and the session stays.
 *
 * Requests of branches wait, too, and go again with a token that the branch gets after the sign-in.
 *
 * The caller gets the answer of the server if the handler returns nothing or rejects, if the server refuses the new tokens,
 * too, and if the request cannot be sent a second time. The errors of this library, such as `OAuthError`, are not reported any
 * further: catch them in the handler. Other errors are reported as those of listeners are.
 *
 * @param auth the session; its branches follow it. If it lives in a worker, call this there:
 * `popupOfPage` of `authchart/oauth2` gets a window of a page
 * @param handler one for each session: another one replaces it
 * @returns removes the handler
 * @throws TypeError if `auth` is a branch, or the page's side of a worker
 *
 * @example
 * ```ts
 * const stop = onStepUp(auth, stepUp(oauth, async (request) => {
 *   if (!(await confirm('Please sign in again'))) return undefined
 *   const popup = oauth.openPopup()
 *   return popup && { via: 'popup', window: popup }
 * }))
 * ```
 *
 * @see RFC 9470, RFC 6750 §3.1
 */
export function onStepUp(auth: StepUpAuth, handler: StepUpHandler): () => void {
  if (typeof handler !== 'function')
    throw new TypeError(messageOf('no_method', { detail: 'onStepUp: handler' }))
  const session = portsOfSession(auth, 'no_step_up')
  const { kernel, vault } = session
  const gate = auth[REQUEST_GATE]
  const stopped = createAbortController()
  let running: Signal | undefined

  /** Resolves to whether the session goes on with tokens of the handler. Never rejects. */
  async function run(need: StepUp, signal: Signal): Promise<boolean> {
    const { epoch } = vault
    const { user, scope } = vault.tokens ?? {}
    const { singleUser } = kernel.settings
    const options = { signal, user: userOf(user), singleUser, scope }
    try {
      // Later, so that the first requests of the handler are not taken for those of `refresh`.
      await undefined
      const response = await handler(need, options)
      if (!response) return false
      await continueSession(session, epoch, await unwrapResponse(response, signal))
      return true
    } catch (error) {
      if (!isAuthError(error) && !isFailure(error) && !signal.aborted) kernel.report(error)
      return false
    }
  }

  /** As `run`, but nothing waits any longer when the session has ended, or its user has signed in elsewhere. */
  async function ask(need: StepUp): Promise<boolean> {
    if (stopped.signal.aborted) return false
    const { epoch } = vault
    const controller = createAbortController()
    const { signal } = controller
    running = signal
    const end = () => controller.abort()
    const stops = [onAbort(stopped.signal, end)]
    const ended = new Promise<boolean>((resolve) => {
      stops.push(onAbort(signal, () => resolve(vault.epoch !== epoch && vault.mayServe(epoch))))
    })
    const { unsubscribe } = auth.actor.subscribe(() => {
      if (vault.epoch !== epoch || !vault.tokens) end()
    })
    const { work, settings } = kernel
    const answered = work.run(() => run(need, signal), settings.timeouts.signIn).catch(() => false)
    const isMet = await Promise.race([answered, ended])
    running = undefined
    unsubscribe()
    for (const stop of stops) stop()
    // What has taken too long need not go on.
    end()
    return isMet
  }

  const stepUps = new StepUps(gate, vault, { ask, owns: (given) => given === running })
  gate.stepUp = stepUps
  return () => {
    if (gate.stepUp === stepUps) gate.stepUp = undefined
    stopped.abort()
  }
}

function userOf({ idToken: name }: UserNames = {}): StepUpOptions['user'] {
  if (name === undefined) return undefined
  try {
    const [iss, sub] = JSON.parse(name) as [iss: string | null, sub: string]
    return { iss: iss ?? undefined, sub }
  } catch {
    // A damaged record has no user.
    return undefined
  }
}
