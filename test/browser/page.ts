/** The script of the page. It is bundled and served, and the tests call its functions by name. */
import axios from 'axios'
import { type Auth, createAuth, type StorageFeature, type TokenResponse } from '../../src/index.ts'
import { webStorage } from '../../src/storage/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'

export type TransportName = 'fetch' | 'ofetch' | 'axios xhr' | 'axios fetch'

type Send = (
  url: string,
  options?: { method?: string; body?: BodyInit; signal?: AbortSignal },
) => Promise<{ status: number; text: string }>

function createSend(name: TransportName, auth: Auth<never>, origins: string[]): Send {
  if (name === 'fetch') {
    const send = createAuthFetch(auth, { origins })
    return async (url, options) => {
      const response = await send(url, options)
      return { status: response.status, text: await response.text() }
    }
  }
  if (name === 'ofetch') {
    const { raw } = createAuthOfetch(auth, { origins })
    return async (url, options) => {
      const response = await raw(url, {
        ...options,
        responseType: 'text',
        ignoreResponseError: true,
        retry: false,
      })
      return { status: response.status, text: String(response._data ?? '') }
    }
  }
  const instance = axios.create({
    adapter: name === 'axios xhr' ? 'xhr' : 'fetch',
    validateStatus: () => true,
  })
  attachAuth(instance, auth, { origins })
  return async (url, { method = 'GET', body, signal } = {}) => {
    const response = await instance.request({
      url,
      method,
      ...(body !== undefined && { data: body }),
      responseType: 'text',
      transformResponse: (data: unknown) => data,
      ...(signal && { signal }),
    })
    return { status: response.status, text: String(response.data ?? '') }
  }
}

function start(server: string, initialTokens: TokenResponse | undefined, storage?: StorageFeature) {
  return createAuth({
    refresh: async ({ refreshToken, signal }) => {
      const response = await fetch(`${server}/token`, {
        method: 'POST',
        signal,
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken ?? '' }),
      })
      if (!response.ok) throw response
      return response.json()
    },
    ...(initialTokens && { initialTokens }),
    ...(storage && { storage }),
  })
}

/** A request that is still held after its scenario. */
let other: ReturnType<Send>

export const scenarios = {
  /** Sends many requests at once. Returns their statuses. */
  async parallel(name: TransportName, server: string, tokens: TokenResponse, times: number) {
    using auth = start(server, tokens)
    const send = createSend(name, auth, [server])
    const answers = await Promise.all(
      Array.from({ length: times }, (_, i) => send(`${server}/api/item-${i}`)),
    )
    return answers.map(({ status }) => status)
  },

  /** Sends a form that the server rejects once. Returns the response to the second request. */
  async form(name: TransportName, server: string, tokens: TokenResponse) {
    using auth = start(server, tokens)
    const form = new FormData()
    form.set('name', 'ada')
    form.set('file', new Blob([new Uint8Array([0, 255, 13, 10, 128])]), 'bytes.bin')
    return await createSend(name, auth, [server])(`${server}/api/form`, { method: 'POST', body: form })
  },

  /** Sends a `Request` with a body that the server rejects once. Returns the type of what the replay sent, and its bytes. */
  async requestObject(
    server: string,
    tokens: TokenResponse,
    kind: 'form with a file' | 'keepalive' | 'none',
  ) {
    using auth = start(server, tokens)
    const form = new FormData()
    form.set('file', new File(['abc'], 'a.txt'))
    const init = {
      'form with a file': { body: form },
      keepalive: { body: 'abc', keepalive: true },
      none: {},
    }[kind]
    const request = new Request(`${server}/api/object`, { method: 'POST', ...init })
    const response = await createAuthFetch(auth, { origins: [server] })(request)
    const { contentType, body } = await response.json()
    return { contentType, body: atob(body) }
  },

  /** Aborts one of two held requests. Returns the name of its error; `stayed` returns the status of the other. */
  async abortWhileHeld(name: TransportName, server: string, tokens: TokenResponse) {
    const auth = start(server, tokens)
    const send = createSend(name, auth, [server])
    const controller = new AbortController()
    const held = new Promise<void>((resolve) => auth.on('requestHeld', () => resolve()))
    other = send(`${server}/api/stays`).finally(() => auth.dispose())
    const second = send(`${server}/api/leaves`, { signal: controller.signal })
    await held
    controller.abort()
    const aborted = await second.then(
      () => 'answered',
      (error: Error) => `${error.name}/${(error.cause as Error | undefined)?.name ?? ''}`,
    )
    return { aborted, stateThen: auth.state }
  },
  stayed: async () => (await other).status,

  /** Sends a request to the origin of the page, which is allowed by default, and one to another origin. */
  async origins(name: TransportName, server: string, tokens: TokenResponse) {
    using auth = start(server, tokens)
    const send = createSend(name, auth, [])
    return { own: (await send('/headers')).text, foreign: (await send(`${server}/api/foreign`)).status }
  },

  /** Starts a session in localStorage, for `restore` after a reload. */
  async persist(server: string, tokens: TokenResponse) {
    using auth = start(server, tokens, webStorage(localStorage))
    await auth.ready()
    return auth.state
  },
  async restore(server: string) {
    using auth = start(server, undefined, webStorage(localStorage))
    const before = auth.state
    await auth.ready()
    const answer = await createAuthFetch(auth, { origins: [server] })(`${server}/api/restored`)
    return { before, after: auth.state, status: answer.status }
  },
}

Object.assign(globalThis, { scenarios })
