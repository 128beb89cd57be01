/** Sessions that live on the server: the browser has nothing but a cookie with a name, and no token. */
import { join } from 'node:path'
import { type Auth, createAuth } from 'authchart'
import { fileCoordinator, fileStorage } from 'authchart/storage'

export interface Credentials {
  readonly username: string
  readonly password: string
}

export const COOKIE = 'session'
/** Who sends it may send anything. It becomes the name of a file. */
const NAME = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const body = new URLSearchParams(form)
  const response = await fetch(`${process.env.AUTH_SERVER}${path}`, { method: 'POST', body, signal })
  return response.ok ? response.json() : Promise.reject(response)
}

/**
 * The session of that name, for one request: dispose of it when that is over. Requests and processes that open the same one
 * at the same time renew its token once.
 */
export function openSession(name: string | undefined): Auth<Credentials> {
  const path = name && NAME.test(name) ? join(process.env.SESSIONS ?? '', `${name}.json`) : undefined
  return createAuth({
    signIn: (user: Credentials, { signal }) => post('/token', { grant_type: 'password', ...user }, signal),
    refresh: ({ refreshToken = '', signal }) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    revoke: ({ refreshToken = '' }, { signal }) => post('/revoke', { token: refreshToken }, signal),
    // No timer has to live longer than the request.
    renew: 'demand',
    ...(path && { storage: fileStorage(path), coordinator: fileCoordinator(path) }),
  })
}
