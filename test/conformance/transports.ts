import axios, { AxiosError, CanceledError, type CreateAxiosDefaults } from 'axios'
import { FetchError, type FetchOptions } from 'ofetch'
import { Agent, interceptors, request as undiciRequest } from 'undici'
import type { AuthHandle } from '../../src/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { type AuthFetchOptions, createAuthFetch, type TransportOptions } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { type AnswerHead, authInterceptor } from '../../src/transports/undici.ts'

/** The options of a request. Each transport converts them to its own options. */
export interface RequestInitLike {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The client's own timeout in milliseconds. `fetch` has none, so its transport uses `AbortSignal.timeout`. */
  readonly timeout?: number
  /** Any body that the client accepts. A plain object is sent as JSON by all clients. */
  readonly body?: unknown
  /** More options of the client itself, for tests of one client. */
  readonly own?: Readonly<Record<string, unknown>>
}

/** The answer of a server, in the same form for all clients. */
export interface Answer {
  readonly status: number
  readonly json: unknown
  /** How the client reported it: it resolved with its own value, or rejected with its own error. */
  readonly givenAs: 'Response' | 'data' | 'FetchError' | 'AxiosError' | 'HttpErrorResponse'
  readonly headers: Headers
}

/** Resolves for every answer of a server. Rejects without an answer, with the client's own error. */
export interface Client {
  get(path: string, init?: RequestInitLike): Promise<Answer>
  post(path: string, body: unknown, init?: RequestInitLike): Promise<Answer>
  request(path: string, init?: RequestInitLike): Promise<Answer>
}

export interface CreateOptions extends Omit<TransportOptions<never>, 'isChallenge'> {
  /** The base of all paths. It receives the token. */
  readonly origin: string
  readonly isChallenge?: (answer: { readonly status: number }) => boolean | Promise<boolean>
  /** Defaults of the client's instance; unused by `fetch`. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

export interface Transport {
  readonly name: string
  create(auth: AuthHandle, options: CreateOptions): Client
  /** How the client reports a 401 to its caller. */
  readonly givesRefusalsAs: Answer['givenAs']
  /** Whether `error` is how the client rejects if the caller's signal aborts with `reason`. */
  readonly isAbort: (error: unknown, reason: unknown) => boolean
  /** Whether `error` is how the client rejects after its own timeout. */
  readonly isTimeout: (error: unknown) => boolean
}

const parse = (text: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const isStream = (body: unknown) =>
  typeof body === 'object' &&
  body !== null &&
  ('getReader' in body || 'pipe' in body || Symbol.asyncIterator in body)

const isPlain = (body: unknown) =>
  Array.isArray(body) || (body !== null && Object.getPrototypeOf(Object(body)) === Object.prototype)

const withMethods = (request: Client['request']): Client => ({
  request,
  get: (path, init) => request(path, { ...init, method: 'GET' }),
  post: (path, body, init) => request(path, { ...init, method: 'POST', body }),
})

/** Converts the options to those of `fetch`. */
const fetchInit = ({ method, headers, signal, timeout, body, own }: RequestInitLike): RequestInit => {
  const signals = [signal, timeout === undefined ? undefined : AbortSignal.timeout(timeout)].filter(
    (one) => one !== undefined,
  )
  const json = isPlain(body)
  return {
    ...(method !== undefined && { method }),
    ...((headers || json) && {
      headers: { ...(json && { 'content-type': 'application/json' }), ...headers },
    }),
    ...(signals.length > 0 && { signal: signals.length === 1 ? signals[0]! : AbortSignal.any(signals) }),
    ...(body !== undefined && { body: (json ? JSON.stringify(body) : body) as BodyInit }),
    ...(isStream(body) && { duplex: 'half' }),
    ...own,
  }
}

/** Creates clients over anything that answers with a `Response`. */
export const fetchTransportOf =
  (
    open: (
      auth: AuthHandle,
      options: AuthFetchOptions,
    ) => (url: string, init: RequestInit) => Promise<Response>,
  ): Transport['create'] =>
  (auth, { origin, defaults: _, origins = [], ...options }) => {
    const send = open(auth, { ...options, origins: [origin, ...origins] })
    return withMethods(async (path, init = {}) => {
      const response = await send(new URL(path, origin).href, fetchInit(init))
      return {
        status: response.status,
        json: parse(await response.text()),
        givenAs: 'Response',
        headers: response.headers,
      }
    })
  }

export const fetchTransport: Transport = {
  name: 'fetch',
  create: fetchTransportOf(createAuthFetch),
  givesRefusalsAs: 'Response',
  isAbort: (error, reason) => error === reason,
  isTimeout: (error) => error instanceof DOMException && error.name === 'TimeoutError',
}

export const ofetchTransport: Transport = {
  name: 'ofetch',
  create(auth, { origin, defaults, ...options }) {
    const send = createAuthOfetch(auth, {
      ...options,
      // ofetch retries GETs by itself. Turn that off: the retries would show in the server log.
      defaults: { baseURL: origin, retry: false, ...defaults } as FetchOptions,
    })
    return withMethods(async (path, { own, ...init } = {}) => {
      const options = {
        ...init,
        ...(isStream(init.body) && { duplex: 'half' }),
        parseResponse: parse,
        ...own,
      } as FetchOptions<'json'>
      try {
        const response = await send.raw(path, options)
        return {
          status: response.status,
          json: response._data,
          givenAs: 'Response',
          headers: response.headers,
        }
      } catch (error) {
        if (!(error instanceof FetchError) || !error.response) throw error
        return {
          status: error.response.status,
          json: error.data,
          givenAs: 'FetchError',
          headers: error.response.headers,
        }
      }
    })
  },
  givesRefusalsAs: 'FetchError',
  isAbort: (error, reason) => error === reason || (error instanceof FetchError && error.cause === reason),
  isTimeout: (error) =>
    [error, error instanceof Error ? error.cause : undefined].some(
      (one) => one instanceof Error && one.name === 'TimeoutError',
    ),
}

const axiosTransport = (adapter: 'http' | 'fetch'): Transport => ({
  name: `axios (${adapter} adapter)`,
  create(auth, { origin, defaults, ...options }) {
    const instance = axios.create({
      baseURL: origin,
      adapter,
      proxy: false,
      ...defaults,
    } as CreateAxiosDefaults)
    attachAuth(instance, auth, options)
    return withMethods(async (path, { body, own, ...init } = {}) => {
      try {
        const { status, data, headers } = await instance.request({
          url: path,
          ...init,
          ...(body !== undefined && { data: body }),
          ...own,
        })
        return {
          status,
          json: data === '' ? undefined : data,
          givenAs: 'data',
          headers: new Headers(headers as Record<string, string>),
        }
      } catch (error) {
        if (!(error instanceof AxiosError) || !error.response) throw error
        const { status, data, headers } = error.response
        return {
          status,
          json: data === '' ? undefined : data,
          givenAs: 'AxiosError',
          headers: new Headers(headers as Record<string, string>),
        }
      }
    })
  },
  givesRefusalsAs: 'AxiosError',
  isAbort: (error) => error instanceof CanceledError,
  isTimeout: (error) => error instanceof AxiosError && /^(ECONNABORTED|ETIMEDOUT)$/.test(error.code ?? ''),
})

export const axiosHttpTransport = axiosTransport('http')
export const axiosFetchTransport = axiosTransport('fetch')

/** undici takes parameters as text only. */
export const asUndici = ({ body, headers, ...init }: RequestInit): Partial<UndiciOptions> => {
  const isForm = body instanceof URLSearchParams
  const type = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }
  return {
    ...(init as UndiciOptions),
    ...(body !== undefined && { body: isForm ? String(body) : (body as string) }),
    headers: { ...(isForm && type), ...(headers as Record<string, string>) },
  }
}

type UndiciOptions = NonNullable<Parameters<typeof undiciRequest>[1]>

/** Not `getGlobalDispatcher()`, which may be that of Node itself. */
const agent = new Agent()

export const undiciTransport: Transport = {
  name: 'undici',
  create(auth, { origin, defaults: _, isChallenge, origins = [], ...options }) {
    const interceptor = authInterceptor(auth, {
      ...options,
      ...(isChallenge && { isChallenge: ({ statusCode: status }: AnswerHead) => isChallenge({ status }) }),
      origins: [origin, ...origins],
    })
    const dispatcher = agent.compose(interceptor, interceptors.redirect({ maxRedirections: 5 }))
    return withMethods(async (path, init = {}) => {
      const { statusCode, headers, body } = await undiciRequest(new URL(path, origin), {
        dispatcher,
        ...asUndici(fetchInit(init)),
      })
      return {
        status: statusCode,
        json: parse(await body.text()),
        givenAs: 'Response',
        headers: new Headers(headers as Record<string, string>),
      }
    })
  },
  givesRefusalsAs: 'Response',
  isAbort: (error, reason) => error === reason,
  isTimeout: (error) => error instanceof DOMException && error.name === 'TimeoutError',
}

/** Bun replaces undici by a module of its own, whose dispatchers take no interceptors. */
const hasInterceptors = 'compose' in Agent.prototype
/** axios for browsers and workers has no adapter over `node:http`. */
const hasHttp = (() => {
  try {
    return Boolean(axios.getAdapter('http'))
  } catch {
    return false
  }
})()

/** All transports under test. Each test is written once and runs for all of them. */
export const transports: readonly Transport[] = [
  fetchTransport,
  ofetchTransport,
  ...(hasHttp ? [axiosHttpTransport] : []),
  axiosFetchTransport,
  ...(hasInterceptors ? [undiciTransport] : []),
]
