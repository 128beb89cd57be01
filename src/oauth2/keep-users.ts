import type { TokenResponse } from '../core/ports.ts'
import { kept } from './failure.ts'

/**
 * Keeps the sessions of an app whose secret is wrong for a while: whether a server accepts the client says nothing about its users
 * (RFC 6749 §5.2). For confidential clients: builds for browsers replace this file by `keep-users.browser.ts`.
 *
 * @param refreshed a refresh of a client that authenticates
 */
export async function keepUsers(refreshed: Promise<TokenResponse>): Promise<TokenResponse> {
  try {
    return await refreshed
  } catch (error) {
    const { response, cause, status = Object(cause).status, error: code } = Object(error)
    throw status === 401 || code === 'invalid_client' ? kept('invalid_client', response ?? cause) : error
  }
}
