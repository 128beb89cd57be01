import type { PeerAnswer, PeerRequest } from './types.ts'

/** The part of an axios instance that requests need. Each package of the repository may have its own copy of axios. */
interface AxiosLike {
  request(config: Record<string, unknown>): Promise<{ readonly status: number; readonly data: unknown }>
}

/** Sends by an axios instance, in its usual way: answers with an error status arrive as errors. */
export const requestByAxios =
  (api: AxiosLike) =>
  async (path: string, { body, ...init }: PeerRequest = {}): Promise<PeerAnswer> => {
    try {
      const { status, data } = await api.request({ url: path, data: body, ...init })
      return { status, json: data === '' ? undefined : data }
    } catch (error) {
      const { response } = Object(error) as { response?: { status?: number; data: unknown } }
      if (!response?.status) throw error
      return { status: response.status, json: response.data }
    }
  }

const parse = (text: string): unknown => {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Sends by something that looks like `fetch`. `fetch` has no timeout of its own: apps pass `AbortSignal.timeout`. */
export const requestByFetch =
  (origin: string, send: (url: string, init: RequestInit) => Promise<Response>) =>
  async (path: string, { body, headers, signal, timeout, method }: PeerRequest = {}): Promise<PeerAnswer> => {
    const isJson = typeof body === 'object'
    const response = await send(new URL(path, origin).href, {
      method: method ?? 'GET',
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers },
      body: isJson ? JSON.stringify(body) : (body ?? null),
      signal: timeout ? AbortSignal.timeout(timeout) : (signal ?? null),
    })
    return { status: response.status, json: parse(await response.text()) }
  }

/** The token request of an app, by `fetch`. */
export const refreshByFetch = async (
  origin: string,
  refreshToken: string,
  signal?: AbortSignal,
): Promise<Response> =>
  fetch(`${origin}/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    signal: signal ?? null,
  })
