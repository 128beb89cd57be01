/** Requests of the page to its server. */
import { CONTROL_HEADER, PAGE_HEADER } from '../headers.ts'

/** The id of this page while it is open. `randomUUID` is missing on plain HTTP of another machine, so it is not used. */
const pageId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')

/** Headers of every request of the session, so that the server can disconnect this page only. */
export const pageHeaders = { [PAGE_HEADER]: pageId }

/** `fetch` with these headers. */
export const pageFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set(PAGE_HEADER, pageId)
  return fetch(input, { ...init, headers })
}

/**
 * Calls a control of the server. Works even if the page is offline.
 *
 * @throws TypeError if the server cannot be reached or rejects the call
 */
export async function control(name: string, parameters: Record<string, string> = {}): Promise<void> {
  const query = new URLSearchParams(parameters)
  const headers = { ...pageHeaders, [CONTROL_HEADER]: '1' }
  const response = await fetch(`/playground/${name}?${query}`, { method: 'POST', headers })
  if (!response.ok) throw new TypeError(`The server answered ${response.status} to ${name}.`)
}

/** Returns how far the server's clock is ahead of the system clock because of simulated sleep, in milliseconds. */
export async function readServerClock(): Promise<number> {
  const response = await fetch('/playground/clock')
  const { ahead }: { ahead: number } = await response.json()
  return ahead
}
