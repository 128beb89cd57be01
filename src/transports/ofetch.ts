/**
 * The session for ofetch.
 *
 * @module
 */
import {
  type $Fetch,
  type FetchContext,
  type FetchOptions,
  type FetchRequest,
  type FetchResponse,
  ofetch,
} from 'ofetch'
import { type AuthHandle, REQUEST_GATE } from '../core/auth.ts'
import { isAuthError } from '../core/errors.ts'
import { explainTransport } from './explain.ts'
import { type AuthFetchOptions, authFetch } from './fetch.ts'
import { createTargetGuard } from './origins.ts'
import { OWN_CALL } from './own-call.ts'
import { throwSessionError } from './throw-session-error.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options of `createAuthOfetch`. */
export interface AuthOfetchOptions extends AuthFetchOptions {
  /** The instance to build on. Default: the package's `ofetch`. */
  readonly ofetch?: $Fetch
  /** Defaults of the new instance; the origin of its `baseURL` gets the token. */
  readonly defaults?: FetchOptions
}

/**
 * Creates an ofetch instance that sends the session's token. The token is added below ofetch's hooks and retries, because
 * a hook cannot return the response of a replay.
 *
 * @param auth the session
 * @param options the origins that get the token, and the instance's defaults
 * @returns an instance that rejects with the session's own errors, not wrapped in a `FetchError`, and does not retry them
 * @throws TypeError if neither a page, nor `defaults.baseURL`, nor `origins` gives an origin
 *
 * @example
 * ```ts
 * const api = createAuthOfetch(auth, { defaults: { baseURL: 'https://api.example.com' } })
 * const me = await api('/me')
 * ```
 */
export function createAuthOfetch(auth: AuthHandle, options: AuthOfetchOptions = {}): $Fetch {
  explainTransport('createAuthOfetch', options)
  const { ofetch: base = ofetch, defaults = {} } = options
  const targetOf = createTargetGuard('createAuthOfetch', options, defaults.baseURL)
  const gate = workerFetch(auth, options) ? undefined : auth[REQUEST_GATE]
  const mark: Mark = (given) => (gate?.calls.isCalling ? { ...given, [OWN_CALL]: true } : given)

  /** Puts the session between an instance and what it sends with. */
  const over = (given: typeof fetch | undefined): Sending => {
    const own: AuthFetchOptions = given ? { ...options, fetch: given } : options
    const send = authFetch(auth, own, targetOf, true)
    return {
      mark,
      native: authFetch(auth, own, targetOf),
      fetch(input, init) {
        const sendOwn = () => send(input, init)
        const answer = init && OWN_CALL in init && gate ? gate.calls.call(sendOwn) : sendOwn()
        // Stops ofetch's retries after an error of the session: ofetch reads its own options again then. It gets `answer` itself,
        // so its reaction runs after this one, and success costs no extra turn.
        answer.then(undefined, (error) => {
          if (isAuthError(error) && init) (init as FetchContext['options']).retry = false
        })
        return answer
      },
    }
  }

  const sending = over(options.fetch ?? (options.ofetch && base.native))
  return withSessionErrors(base.create(defaults, { fetch: sending.fetch }), sending, over)
}

/** What an instance sends with, and what it shows as `native`. */
interface Sending {
  readonly mark: Mark
  readonly native: typeof fetch
  readonly fetch: typeof fetch
}

/** Marks the options of a request that a function of the session makes. ofetch passes them on. */
type Mark = (options: FetchOptions<never> | undefined) => FetchOptions<never> | undefined

/** The same instance, but errors of the session are not wrapped in a `FetchError`. */
function withSessionErrors(
  instance: $Fetch,
  sending: Sending,
  over: (given: typeof fetch) => Sending,
): $Fetch {
  const raw = (request: FetchRequest, options?: FetchOptions<never>) =>
    instance.raw(request, sending.mark(options))
  // As the instance does, in as many turns: it reads the body that `raw` has parsed.
  const call = (request: FetchRequest, options?: FetchOptions<never>) =>
    raw(request, options).then(readData, throwSessionError)

  return Object.assign(call, {
    raw: (request: FetchRequest, options?: FetchOptions<never>) =>
      raw(request, options).catch(throwSessionError),
    native: sending.native,
    create(defaults: FetchOptions, custom?: Parameters<$Fetch['create']>[1]) {
      const own = custom?.fetch ? over(custom.fetch) : sending
      return withSessionErrors(instance.create(defaults, { ...custom, fetch: own.fetch }), own, over)
    },
  }) as $Fetch
}

const readData = ({ _data }: FetchResponse<unknown>) => _data
