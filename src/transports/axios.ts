/**
 * The session for axios.
 *
 * @module
 */
import type { AxiosAdapter, AxiosInstance, AxiosResponse } from 'axios'
import { type AuthHandle, REQUEST_GATE } from '../core/auth.ts'
import { OwnClientError } from '../core/errors.ts'
import { type AdapterOption, type OwnAxios, ownAxios } from './axios/adapter.ts'
import { type Config, copyHeaders, createConfigCopier, hasAuthorization } from './axios/config.ts'
import { AxiosRequest, type Settings } from './axios/request.ts'
import { concealResponse } from './axios/secrets.ts'
import { createTargetFinder } from './axios/target.ts'
import { copied } from './body.ts'
import { explainAxios, explainTransport } from './explain.ts'
import type { TransportOptions } from './fetch.ts'
import { createTargetGuard } from './origins.ts'
import { OWN_CALL } from './own-call.ts'
import { throwSessionError } from './throw-session-error.ts'
import { workerFetch } from './worker-fetch.ts'

/** Options of `attachAuth`. `isChallenge` receives the adapter's response, before `transformResponse`. */
export type AttachAuthOptions = TransportOptions<AxiosResponse>

/**
 * Attaches the session to an axios instance. It wraps the instance's adapter, below interceptors and transforms, so those
 * run once for each call and not once for each sending. Works with the xhr, http and fetch adapters, with an adapter of the
 * app, and with one that a request names for itself.
 *
 * Plain http to this machine gets the token, but not through a proxy: such a request is sent directly, unless
 * `allowInsecure` is set.
 *
 * @param instance the instance; the origin of its `defaults.baseURL` gets the token
 * @param auth the session
 * @param options further origins that get the token
 * @returns a function that detaches the session
 * @throws TypeError if neither a page, nor `baseURL`, nor `origins` gives an origin
 *
 * @example
 * ```ts
 * const api = axios.create({ baseURL: 'https://api.example.com' })
 * const detach = attachAuth(api, auth)
 * const { data } = await api.get('/me')
 * ```
 */
export function attachAuth(
  instance: AxiosInstance,
  auth: AuthHandle,
  options: AttachAuthOptions = {},
): () => void {
  // First, because only this transport takes the session after the client.
  const remote = workerFetch(auth, options)
  explainTransport('attachAuth', options)
  const targetOf = createTargetGuard('attachAuth', options, instance.defaults.baseURL)
  const previous = instance.defaults.adapter
  const findTarget = createTargetFinder(targetOf, options.exclude)
  const copyConfig = createConfigCopier()
  const { adapterFor, errorClass } = ownAxios(instance)
  const settings: Settings = {
    auth,
    axios: { adapterFor, errorClass },
    targetOf,
    isChallenge: options.isChallenge,
    abortSafe: options.abortInFlight === 'safe',
    bufferStreams: options.bufferStreams ?? false,
  }
  let attached = true

  const send = (option: AdapterOption, config: Config): Promise<AxiosResponse> => {
    const adapter = adapterFor(option, config)
    if (!attached || hasAuthorization(config.headers) || config.auth) {
      if (attached) explainAxios(auth, config, targetOf)
      return adapter(config)
    }
    // What is judged from here on is what gets sent.
    const own = copyConfig(config)
    own.headers = copyHeaders(config.headers)
    // axios itself has copied other parameters.
    own.params = copied(own.params)
    const target = findTarget(own)
    if (target === undefined) {
      explainAxios(auth, config, targetOf)
      return adapter(config)
    }
    if (OWN_CALL in config) throw new OwnClientError()
    if (remote) return sendByWorker(remote, settings.axios, own, config)
    if (target.charCodeAt(4) === COLON && !options.allowInsecure) own.proxy = false
    // An adapter of axios gets a form as its bytes, which are the same in a replay. Another one may look into the form.
    return new AxiosRequest(settings, adapter, own, config, target).run(typeof option !== 'function')
  }

  /** Wraps an adapter, or the name of one. */
  const wrap =
    (option: AdapterOption): AxiosAdapter =>
    (config) => {
      try {
        return send(option, config)
      } catch (error) {
        return Promise.reject(error)
      }
    }
  const adapter = wrap(previous)
  const wrapped = new WeakSet<AxiosAdapter>([adapter])
  instance.defaults.adapter = adapter

  /** Wraps the adapter that a request names for itself. Called within the caller's own call. */
  const wrapNamed = (config: Config): boolean => {
    if (!remote && auth[REQUEST_GATE].calls.isCalling) Object.assign(config, { [OWN_CALL]: true })
    const named = config.adapter
    if (named === instance.defaults.adapter || (typeof named === 'function' && wrapped.has(named)))
      return false
    config.adapter = wrap(named)
    wrapped.add(config.adapter)
    return false
  }
  // axios asks `runWhen` for each request, before its interceptors run. None is added, because that would delay the request.
  const interceptor = instance.interceptors.request.use(null, null, { runWhen: wrapNamed })

  return () => {
    attached = false
    instance.interceptors.request.eject(interceptor)
    // If another wrapper was put around this adapter, this one stays in place and lets requests through.
    if (instance.defaults.adapter === adapter) instance.defaults.adapter = previous as AxiosAdapter
  }
}

/** Behind `http` in a URL that is not `https`. */
const COLON = 58

/** Sends by the worker that owns the session. */
async function sendByWorker(
  remote: typeof fetch,
  axios: OwnAxios,
  own: Config,
  config: Config,
): Promise<AxiosResponse> {
  own.env = { ...own.env, fetch: remote }
  // The adapter wraps every error that it does not know.
  const response = await axios.adapterFor('fetch', own)(own).catch(throwSessionError)
  concealResponse(response, { config, authorization: undefined })
  return response
}
