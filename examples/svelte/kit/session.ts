/** Sessions on the server: the browser has only a cookie with a name, and no token. */
import { join } from 'node:path'
import { type Auth, createAuth } from 'authchart'
import { fileCoordinator, fileStorage } from 'authchart/file'

export interface Credentials {
  readonly username: string
  readonly password: string
}

export const COOKIE = 'session'
/** A client may send anything as a name, and the name becomes part of a file path. */
const NAME = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const body = new URLSearchParams(form)
  const response = await fetch(`${process.env.AUTH_SERVER}${path}`, { method: 'POST', body, signal })
  return response.ok ? response.json() : Promise.reject(response)
}

/**
 * Opens the session of that name for one request. Dispose it at the end of the request. Requests and processes that open
 * the same session at the same time refresh its token once.
 */
export function openSession(name: string | undefined): Auth<Credentials> {
  const path = name && NAME.test(name) ? join(process.env.SESSIONS ?? '', `${name}.json`) : undefined
  return createAuth({
    signIn: (user: Credentials, { signal }) => post('/session', { ...user }, signal),
    refresh: ({ refreshToken = '', signal }) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    revoke: ({ refreshToken = '' }, { signal }) => post('/revoke', { token: refreshToken }, signal),
    // A request needs no timer for an early refresh.
    refreshOn: 'demand',
    ...(path && { storage: fileStorage(path), coordinator: fileCoordinator(path) }),
  })
}
