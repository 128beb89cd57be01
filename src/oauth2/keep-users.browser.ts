import type { TokenResponse } from '../core/ports.ts'

/** A client in a browser has no secret. */
export function keepUsers(refreshed: Promise<TokenResponse>): Promise<TokenResponse> {
  return refreshed
}
