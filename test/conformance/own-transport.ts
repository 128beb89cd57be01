/** A transport as an app might write it for a client that this package does not cover: plain `node:http`. */
import { request as open } from 'node:http'
import { bearerRequest, HoldTimeoutError, readChallenge } from '../../src/index.ts'
import type { TransportFactory, TransportRequest } from '../../src/testing/index.ts'

interface Reply {
  readonly status: number
  readonly challenge: string | undefined
  readonly body: string
}

class OwnTimeout extends Error {}

const send = (url: URL, request: TransportRequest, authorization?: string) =>
  new Promise<Reply>((resolve, reject) => {
    const { method, headers, body = '', signal, timeout } = request
    const [text, type] = typeof body === 'string' ? [body] : [JSON.stringify(body), 'application/json']
    const outgoing = open(url, { method, ...(signal && { signal }), ...(timeout && { timeout }) })
    // Node sets the content length of a POST by itself, but not that of a DELETE.
    const own = { 'content-length': Buffer.byteLength(text), ...(type && { 'content-type': type }) }
    for (const [name, value] of Object.entries({ ...own, ...headers })) outgoing.setHeader(name, value)
    if (authorization !== undefined) outgoing.setHeader('authorization', authorization)
    outgoing.on('response', async (incoming) => {
      const { statusCode: status = 0, headers } = incoming
      const chunks: string[] = await incoming.setEncoding('utf8').toArray()
      resolve({ status, challenge: headers['www-authenticate'], body: chunks.join('') })
    })
    outgoing.on('timeout', () => outgoing.destroy(new OwnTimeout('The server is too slow')))
    outgoing.on('error', reject)
    outgoing.end(text)
  })

export const ownTransport: TransportFactory = (auth, { origin }) => ({
  request(path, request) {
    const url = new URL(path, origin)
    if (url.origin !== origin || request.headers?.authorization !== undefined) return send(url, request)
    return bearerRequest(auth, {
      send: (authorization) => send(url, request, authorization),
      challenge: ({ status, challenge }) => readChallenge(status, challenge),
      replayable: true,
      key: () => `${request.method} ${url.pathname}`,
      signal: request.signal,
      timeout: request.timeout,
    })
  },
})

/** In flight it is the transport's own error; during the wait for a token it is the session's error. */
export const isOwnTimeout = (error: unknown) =>
  error instanceof OwnTimeout || error instanceof HoldTimeoutError
