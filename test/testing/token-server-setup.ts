import { expect, onTestFinished } from 'vitest'
import type {
  IssuedTokens,
  TokenServer,
  TokenServerOptions,
} from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'

export interface Started {
  readonly server: TokenServer
  readonly url: string
  readonly close: () => Promise<void>
  readonly token: (parameters: Record<string, string>, init?: RequestInit) => Promise<Response>
  readonly refresh: (refreshToken: string, init?: RequestInit) => Promise<Response>
  readonly revoke: (token: string) => Promise<Response>
  readonly api: (path: string, accessToken?: string, init?: RequestInit) => Promise<Response>
}

/** A server that listens until the running test is over, and ways to call it over HTTP. */
export const start = async (options?: TokenServerOptions): Promise<Started> => {
  const server = createTokenServer(options)
  const { url, close } = await server.listen()
  onTestFinished(close)
  const post = (path: string, parameters: Record<string, string>, init?: RequestInit): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', body: new URLSearchParams(parameters), ...init })
  return {
    server,
    url,
    close,
    token: (parameters, init) => post('/token', parameters, init),
    refresh: (refreshToken, init) =>
      post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, init),
    revoke: (token) => post('/revoke', { token }),
    api: (path, accessToken, init = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: { ...init.headers, ...(accessToken && { authorization: `Bearer ${accessToken}` }) },
      }),
  }
}

export const tokensOf = async (reply: Response | Promise<Response>): Promise<IssuedTokens> => {
  const settled = await reply
  expect(settled.status).toBe(200)
  return (await settled.json()) as IssuedTokens
}

export const expectInvalidGrant = async (reply: Response | Promise<Response>): Promise<void> => {
  const settled = await reply
  expect(settled.status).toBe(400)
  expect(await settled.json()).toMatchObject({ error: 'invalid_grant' })
}
