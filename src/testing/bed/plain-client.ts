import type { AuthHandle } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { TransportClient } from '../conformance/types.ts'
import type { TokenServer } from '../token-server/token-server.ts'

/** A client that calls the server in process, with the replay of `bearerRequest` and no HTTP client. */
export function createPlainClient(auth: AuthHandle, server: TokenServer): TransportClient {
  return {
    async request(path, { method }) {
      const response = await bearerRequest<Response>(auth, {
        send: (authorization) =>
          server.fetch(path, { method, headers: authorization === undefined ? {} : { authorization } }),
        challenge: ({ status, headers }) => {
          if (status !== 401) return undefined
          return headers.get('www-authenticate')?.includes('insufficient_user_authentication')
            ? {}
            : 'refresh'
        },
        replayable: true,
        key: () => `${method} ${path}`,
      })
      return { status: response.status, body: await response.text() }
    },
  }
}
