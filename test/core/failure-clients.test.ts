import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import * as oauth from 'oauth4webapi'
import { ofetch } from 'ofetch'
import { describe, expect, it, onTestFinished } from 'vitest'
import { classifyFailure } from '../../src/core/session/failure.ts'

const TOKEN = 'rt-SECRET'
const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: TOKEN })

type Answer = (response: ServerResponse, request: IncomingMessage) => void

const ANSWERS: Record<string, Answer> = {
  '/invalid-grant': (response) =>
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}'),
  '/unavailable': (response) =>
    response
      .writeHead(503, { 'content-type': 'application/json', 'retry-after': '7' })
      .end('{"error":"temporarily_unavailable"}'),
  '/login-page': (response) =>
    response.writeHead(401, { 'content-type': 'text/html' }).end('<html><title>Sign in</title></html>'),
  '/bare-401': (response) => response.writeHead(401).end(),
  '/framework': (response) =>
    response
      .writeHead(400, { 'content-type': 'application/json' })
      .end('{"statusCode":400,"message":"Validation failed","error":"Bad Request"}'),
  '/reset': (_, request) => request.socket.resetAndDestroy(),
  '/silent': () => {},
}

/** A token endpoint over real HTTP, whose answer depends on the path. */
async function endpoint() {
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const server = createServer((request, response) => {
    arrive()
    request.resume().on('end', () => ANSWERS[request.url ?? '']?.(response, request))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, arrived }
}

interface Client {
  readonly post: (url: string, signal?: AbortSignal) => Promise<unknown>
}

const CLIENTS: Record<string, Client> = {
  'fetch, its Response thrown': {
    post: async (url, signal) => {
      const response = await fetch(url, { method: 'POST', body, ...(signal && { signal }) })
      if (!response.ok) throw response
    },
  },
  'fetch, with an error of the app around it': {
    post: async (url, signal) => {
      const response = await fetch(url, { method: 'POST', body, ...(signal && { signal }) }).catch(
        (cause) => {
          throw new Error(`Refresh with ${body} failed`, { cause })
        },
      )
      if (!response.ok) {
        throw Object.assign(new Error(`Refresh with ${body} failed: ${response.status}`), { response })
      }
    },
  },
  ofetch: {
    post: (url, signal) =>
      ofetch(url, {
        method: 'POST',
        body,
        retry: 0,
        ...(signal && { signal }),
      }),
  },
  axios: { post: (url, signal) => axios.post(url, body, { ...(signal && { signal }) }) },
  'axios over fetch': {
    post: (url, signal) => axios.post(url, body, { adapter: 'fetch', ...(signal && { signal }) }),
  },
  oauth4webapi: {
    post: async (url, signal) => {
      const server = { issuer: new URL(url).origin, token_endpoint: url }
      const client = { client_id: 'app' }
      const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), TOKEN, {
        [oauth.allowInsecureRequests]: true,
        ...(signal && { signal }),
      })
      await oauth.processRefreshTokenResponse(server, client, response)
    },
  },
}

async function failureOf(client: Client, url: string, signal?: AbortSignal) {
  const error = await client.post(url, signal).then(
    () => expect.unreachable('the client did not fail'),
    (thrown: unknown) => thrown,
  )
  const failure = await classifyFailure(error, {
    now: Date.now(),
    offline: false,
    signal: new AbortController().signal,
  })
  const { cause } = failure
  expect(`${cause.name} ${cause.stack} ${JSON.stringify(cause)} ${String(cause.cause)}`).not.toContain(
    'SECRET',
  )
  return failure
}

describe.each(Object.entries(CLIENTS))('an error of %s', (_, client) => {
  it('ends the session for invalid_grant', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/invalid-grant`)).toMatchObject({
      fatal: true,
      ambiguous: false,
      reason: 'invalid_grant',
      status: 400,
    })
  })

  it('allows a retry for a 503, with its Retry-After', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/unavailable`)).toMatchObject({
      fatal: false,
      ambiguous: false,
      reason: 'server_error',
      status: 503,
      retryAfter: 7_000,
    })
  })

  it('allows a retry for the sign-in page of a proxy', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/login-page`)).toMatchObject({
      fatal: false,
      ambiguous: false,
      reason: 'server_error',
      status: 401,
    })
  })

  it('ends the session for a 401 without a body', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/bare-401`)).toMatchObject({
      fatal: true,
      reason: 'refresh_rejected',
      status: 401,
    })
  })

  it('allows a retry for the 400 of an app framework', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/framework`)).toMatchObject({
      fatal: false,
      ambiguous: false,
      reason: 'server_error',
      status: 400,
    })
  })

  it('allows a retry for a closed port, and knows that the token was not sent', async () => {
    const { url, close } = await endpoint()
    await close()
    expect(await failureOf(client, `${url}/invalid-grant`)).toMatchObject({
      fatal: false,
      ambiguous: false,
      reason: 'network',
      status: undefined,
    })
  })

  it('allows a retry for a broken connection, and knows that the token may be used', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/reset`)).toMatchObject({
      fatal: false,
      ambiguous: true,
      reason: 'network',
      status: undefined,
    })
  })

  it('allows a retry for an abort, and knows that the token may be used', async () => {
    const { url, arrived } = await endpoint()
    const controller = new AbortController()
    const failure = failureOf(client, `${url}/silent`, controller.signal)
    await arrived
    controller.abort()
    expect(await failure).toMatchObject({
      fatal: false,
      ambiguous: true,
      status: undefined,
    })
  })
})

describe('an axios timeout', () => {
  it.each(['http', 'fetch'] as const)('is classified as a timeout by the %s adapter', async (adapter) => {
    const { url } = await endpoint()
    const client = { post: (path: string) => axios.post(path, body, { timeout: 20, adapter }) }
    expect(await failureOf(client, `${url}/silent`)).toMatchObject({
      fatal: false,
      ambiguous: true,
      reason: 'timeout',
    })
  })
})

describe('an error of a client like ky', () => {
  it('is classified by the response that it carries', async () => {
    const { url } = await endpoint()
    class HTTPError extends Error {
      override readonly name = 'HTTPError'
      readonly response: Response
      constructor(response: Response) {
        super(`Request failed with status code ${response.status}: POST ${url}?refresh_token=${TOKEN}`)
        this.response = response
      }
    }
    const client = {
      post: async (path: string) => {
        const response = await fetch(path, { method: 'POST', body })
        if (!response.ok) throw new HTTPError(response)
      },
    }
    expect(await failureOf(client, `${url}/invalid-grant`)).toMatchObject({
      fatal: true,
      reason: 'invalid_grant',
    })
    expect(await failureOf(client, `${url}/unavailable`)).toMatchObject({ fatal: false, retryAfter: 7_000 })
  })
})
