/** How the page reaches its server. */
import { CONTROL_HEADER, PAGE_HEADER } from '../headers.ts'

/** Names this page, as long as it is open. Not `randomUUID`, which pages on plain http of another machine have not. */
const pageId = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-')

/** What every request of the session carries, so that the server can cut off this page alone. */
export const pageHeaders = { [PAGE_HEADER]: pageId }

/** `fetch`, with those. */
export const pageFetch: typeof fetch = (input, init) => {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  headers.set(PAGE_HEADER, pageId)
  return fetch(input, { ...init, headers })
}

/**
 * Does something to the server. It gets through while the page is offline.
 *
 * @throws TypeError where there is no server
 */
export async function control(name: string, parameters: Record<string, string> = {}): Promise<void> {
  const query = new URLSearchParams(parameters)
  const headers = { ...pageHeaders, [CONTROL_HEADER]: '1' }
  const response = await fetch(`/playground/${name}?${query}`, { method: 'POST', headers })
  if (!response.ok) throw new TypeError(`The server answered ${response.status} to ${name}.`)
}

/** How far the server's clock is ahead of this machine's, in milliseconds: for the devices that slept. */
export async function readServerClock(): Promise<number> {
  const response = await fetch('/playground/clock')
  const { ahead }: { ahead: number } = await response.json()
  return ahead
}
