/** Requests of the page to its server. */
import { CONTROL_HEADER, OPENID_PATH, PAGE_HEADER } from '../headers.ts'
import { originFetch } from './origin.ts'

/** The id of this page while it is open. `randomUUID` is missing on plain HTTP of another machine, so it is not used. */
const pageId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')

/** Headers of every request of the session, so that the server can disconnect this page only. */
export const pageHeaders = { [PAGE_HEADER]: pageId }

/** `fetch` with these headers. */
export const pageFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set(PAGE_HEADER, pageId)
  return originFetch(input, { ...init, headers })
}

/** Sends requests for the provider through the server of the playground, which is the network of the simulated device. */
export const openIdFetch =
  (issuer: string): typeof fetch =>
  (input, init) =>
    pageFetch(OPENID_PATH + String(input).slice(issuer.length), init)

/**
 * Calls a control of the server. Works even if the page is offline.
 *
 * @throws TypeError if the server cannot be reached or rejects the call
 */
export async function control(name: string, parameters: Record<string, string> = {}): Promise<void> {
  const query = new URLSearchParams(parameters)
  const headers = { ...pageHeaders, [CONTROL_HEADER]: '1' }
  const response = await originFetch(`/playground/${name}?${query}`, { method: 'POST', headers })
  if (!response.ok) throw new TypeError(`The server answered ${response.status} to ${name}.`)
}

export interface ServerClock {
  /** How far the server's clock is ahead of the system clock because of simulated sleep, in milliseconds. */
  readonly ahead: number
  /** Identifies the server: one that was started again knows no token of the last one. */
  readonly server: string
  /** The OpenID provider of the server; missing if it has none for this page. */
  readonly issuer?: string
}

export async function readServerClock(): Promise<ServerClock> {
  const response = await originFetch('/playground/clock')
  return response.json()
}
