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

/** A server that listens until the end of the running test, with functions to call it over HTTP. */
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

/** A listening server with one session. */
export interface StartedSession extends Omit<Started, 'refresh'> {
  readonly tokens: IssuedTokens
  readonly refresh: (init?: RequestInit) => Promise<Response>
}

export const startSession = async (): Promise<StartedSession> => {
  const started = await start()
  const tokens = started.server.issue()
  return { ...started, tokens, refresh: (init) => started.refresh(tokens.refresh_token, init) }
}

export const refreshRequest = (tokens: IssuedTokens, signal?: AbortSignal): Request =>
  new Request('http://test/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
    ...(signal && { signal }),
  })

export const tokensOf = async (reply: Response | Promise<Response>): Promise<IssuedTokens> => {
  const response = await reply
  expect(response.status).toBe(200)
  return (await response.json()) as IssuedTokens
}

export const expectInvalidGrant = async (reply: Response | Promise<Response>): Promise<void> => {
  const response = await reply
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: 'invalid_grant' })
}
