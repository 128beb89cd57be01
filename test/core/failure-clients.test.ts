import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import * as oauth from 'oauth4webapi'
import { ofetch } from 'ofetch'
import { describe, expect, it, onTestFinished } from 'vitest'
import { classifyFailure } from '../../src/core/failure.ts'

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

/** A token endpoint that answers by its path, over real HTTP. */
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
  const failure = await classifyFailure(error, { now: Date.now(), offline: false, secrets: [TOKEN] })
  const { cause } = failure
  expect(`${cause.name} ${cause.stack} ${JSON.stringify(cause)} ${String(cause.cause)}`).not.toContain(
    'SECRET',
  )
  return failure
}

describe.each(Object.entries(CLIENTS))('what %s throws', (_, client) => {
  it('for invalid_grant ends the session', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/invalid-grant`)).toMatchObject({
      fatal: true,
      uncertain: false,
      reason: 'invalid_grant',
      status: 400,
    })
  })

  it('for a 503 passes, with its Retry-After', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/unavailable`)).toMatchObject({
      fatal: false,
      uncertain: false,
      reason: 'server_error',
      status: 503,
      retryAfter: 7_000,
    })
  })

  it("for a proxy's sign-in page passes", async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/login-page`)).toMatchObject({
      fatal: false,
      uncertain: false,
      reason: 'server_error',
      status: 401,
    })
  })

  it('for a bare 401 ends the session', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/bare-401`)).toMatchObject({
      fatal: true,
      reason: 'refresh_rejected',
      status: 401,
    })
  })

  it('for the 400 of an app framework passes', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/framework`)).toMatchObject({
      fatal: false,
      uncertain: false,
      reason: 'server_error',
      status: 400,
    })
  })

  it('for a port where nobody listens passes, and the token never left', async () => {
    const { url, close } = await endpoint()
    await close()
    expect(await failureOf(client, `${url}/invalid-grant`)).toMatchObject({
      fatal: false,
      uncertain: false,
      reason: 'network',
      status: undefined,
    })
  })

  it('for a connection that breaks passes, and the token may be spent', async () => {
    const { url } = await endpoint()
    expect(await failureOf(client, `${url}/reset`)).toMatchObject({
      fatal: false,
      uncertain: true,
      reason: 'network',
      status: undefined,
    })
  })

  it('for an abort passes, and the token may be spent', async () => {
    const { url, arrived } = await endpoint()
    const controller = new AbortController()
    const failure = failureOf(client, `${url}/silent`, controller.signal)
    await arrived
    controller.abort()
    expect(await failure).toMatchObject({
      fatal: false,
      uncertain: true,
      status: undefined,
    })
  })
})

describe('what axios throws for its own timeout', () => {
  it.each(['http', 'fetch'] as const)('is a timeout, over %s', async (adapter) => {
    const { url } = await endpoint()
    const client = { post: (path: string) => axios.post(path, body, { timeout: 20, adapter }) }
    expect(await failureOf(client, `${url}/silent`)).toMatchObject({
      fatal: false,
      uncertain: true,
      reason: 'timeout',
    })
  })
})

describe('what a ky-like client throws', () => {
  it('is understood by the response it carries', async () => {
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
