import type {
  IssuedTokens,
  TokenServer,
  TokenServerOptions,
} from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'

/** A server with one session, in process. */
export const serve = (options?: TokenServerOptions) => {
  const server = createTokenServer(options)
  const tokens = server.issue()
  const refresh = (init?: RequestInit) => refreshWith(server, tokens, init)
  const api = (path: string, init?: RequestInit) =>
    server.fetch(path, { headers: { authorization: `Bearer ${tokens.access_token}` }, ...init })
  return { server, tokens, refresh, api }
}

export const refreshWith = (server: TokenServer, { refresh_token }: IssuedTokens, init?: RequestInit) =>
  server.fetch('/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token }),
    ...init,
  })

/** Waits for all promise jobs and pending network callbacks. */
export const turn = () => new Promise((resolve) => setImmediate(resolve))
