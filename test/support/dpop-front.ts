import { createServer, type IncomingMessage, type ServerResponse, request as sendRequest } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { hash } from './hash.ts'

/** What became of one request. */
export interface Checked {
  readonly method: string
  readonly path: string
  /** `'ok'`, `'bearer'`, `'nonce'`, or what was wrong with the proof. */
  readonly verdict: string
}

export interface DPoPFrontOptions {
  /** Whether proofs need a nonce. Default: `true`. */
  readonly requiresNonce?: boolean
  /** Milliseconds by which the clock of the server differs. A proof without a nonce must agree with it. Default: 0. */
  readonly skew?: number
}

/** How far `iat` may be off, in milliseconds, if the proof has no nonce. */
const LEEWAY = 60_000

const json = (part: string) =>
  JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * A reverse proxy that makes a token server one that demands proofs of possession (RFC 9449): it checks each proof by hand,
 * asks for nonces, and passes requests on as bearer requests. Tokens are bound to the key they were requested with.
 */
export async function startDPoPFront(
  target: string,
  { requiresNonce = true, skew = 0 }: DPoPFrontOptions = {},
) {
  const checked: Checked[] = []
  const seen = new Set<string>()
  /** The key of each token that was issued with a proof. */
  const keys = new Map<string, string>()
  let counter = 0
  const nonces = { token: 'nonce-token-0', api: 'nonce-api-0' }
  let origin = ''

  /** Returns the thumbprint of the key. Throws a string that says what is wrong. */
  async function verify(
    proof: string,
    kind: 'token' | 'api',
    request: IncomingMessage,
    token: string | undefined,
  ) {
    const [head = '', body = '', signature = ''] = proof.split('.')
    const header = json(head)
    const claims = json(body)
    const { crv, kty, x, y, ...rest } = header.jwk as JsonWebKey
    if (header.typ !== 'dpop+jwt' || header.alg !== 'ES256' || Object.keys(rest).length > 0) throw 'header'
    const key = await crypto.subtle.importKey('jwk', { crv, kty, x, y } as JsonWebKey, KEY, true, ['verify'])
    const signed = new TextEncoder().encode(`${head}.${body}`)
    if (!(await crypto.subtle.verify(KEY, key, Buffer.from(signature, 'base64url'), signed)))
      throw 'signature'
    if (claims.htm !== request.method) throw 'htm'
    if (claims.htu !== origin + (request.url ?? '').split('?', 1)[0]) throw 'htu'
    if (typeof claims.jti !== 'string' || seen.has(claims.jti)) throw 'jti'
    seen.add(claims.jti)
    const thumbprint = await hash(JSON.stringify({ crv, kty, x, y }))
    if (token !== undefined && claims.ath !== (await hash(token))) throw 'ath'
    if (token !== undefined && keys.get(token) !== thumbprint) throw 'key'
    if (requiresNonce && claims.nonce !== nonces[kind]) throw 'nonce'
    if (!requiresNonce && Math.abs(Number(claims.iat) * 1_000 - (Date.now() + skew)) > LEEWAY) throw 'iat'
    return thumbprint
  }

  function refuse(
    kind: 'token' | 'api',
    verdict: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) {
    const error =
      verdict === 'nonce' ? 'use_dpop_nonce' : verdict === 'key' ? 'invalid_token' : 'invalid_dpop_proof'
    outgoing.statusCode = kind === 'token' ? 400 : 401
    if (requiresNonce) outgoing.setHeader('dpop-nonce', nonces[kind])
    if (kind === 'api') outgoing.setHeader('www-authenticate', `DPoP error="${error}", algs="ES256"`)
    allow(incoming, outgoing)
    outgoing.setHeader('content-type', 'application/json')
    outgoing.setHeader('connection', 'close')
    incoming.resume()
    outgoing.end(JSON.stringify({ error }))
  }

  /** Lets a page of another origin read the answer. */
  function allow(incoming: IncomingMessage, outgoing: ServerResponse) {
    outgoing.setHeader('access-control-allow-origin', incoming.headers.origin ?? '*')
    outgoing.setHeader('access-control-allow-credentials', 'true')
    outgoing.setHeader('access-control-expose-headers', 'WWW-Authenticate, Retry-After, DPoP-Nonce, Date')
  }

  /** Passes a request on, and the end of either side to the other. */
  function pass(
    kind: 'token' | 'api' | undefined,
    thumbprint: string | undefined,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ) {
    const headers = { ...incoming.headers, host: new URL(target).host }
    if (headers.authorization?.startsWith('DPoP '))
      headers.authorization = `Bearer ${headers.authorization.slice(5)}`
    const upstream = sendRequest(
      target + incoming.url,
      { method: incoming.method!, headers, agent: false },
      (answer) => {
        outgoing.statusCode = answer.statusCode ?? 500
        for (const [name, value] of Object.entries(answer.headers))
          if (value !== undefined && !/^(content-length|transfer-encoding|date)$/.test(name))
            outgoing.setHeader(name, value)
        if (thumbprint !== undefined && kind && requiresNonce) outgoing.setHeader('dpop-nonce', nonces[kind])
        if (incoming.headers.origin !== undefined) allow(incoming, outgoing)
        const location = answer.headers.location
        if (location?.startsWith(target))
          outgoing.setHeader('location', origin + location.slice(target.length))
        outgoing.setHeader('date', new Date(Date.now() + skew).toUTCString())
        answer.on('error', () => outgoing.destroy())
        if (kind !== 'token' || thumbprint === undefined || answer.statusCode !== 200)
          return void answer.pipe(outgoing)
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const token = /"access_token":"([^"]+)"/.exec(text)?.[1]
          if (token !== undefined) keys.set(token, thumbprint)
          outgoing.end(text.replace(/"token_type":"Bearer"/i, '"token_type":"DPoP"'))
        })
      },
    )
    upstream.on('error', () => outgoing.destroy())
    outgoing.on('close', () => outgoing.writableFinished || upstream.destroy())
    incoming.pipe(upstream)
  }

  async function check(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { method = 'GET', url: path = '/', headers } = incoming
    outgoing.setHeader('date', new Date(Date.now() + skew).toUTCString())
    const isToken = path === '/token' || path === '/session'
    const bearer = /^(?:Bearer|DPoP) (.+)$/.exec(headers.authorization ?? '')?.[1]
    const kind = isToken ? 'token' : path.startsWith('/api/') ? 'api' : undefined
    const proof = headers.dpop
    if (!kind || method === 'OPTIONS' || (bearer === undefined && proof === undefined))
      return pass(undefined, undefined, incoming, outgoing)
    const note = (verdict: string) => checked.push({ method, path, verdict })
    const isBound = bearer !== undefined && keys.has(bearer)
    const usesScheme = headers.authorization?.startsWith('DPoP ') === true
    if (typeof proof !== 'string' && !isBound && !usesScheme) {
      note('bearer')
      return pass(kind, undefined, incoming, outgoing)
    }
    try {
      if (typeof proof !== 'string') throw 'no proof'
      if (isBound && !usesScheme) throw 'scheme'
      const thumbprint = await verify(proof, kind, incoming, bearer)
      note('ok')
      pass(kind, thumbprint, incoming, outgoing)
    } catch (problem) {
      // A token that was not issued here is the token server's to refuse.
      if (problem === 'key' && !isBound) return pass(kind, undefined, incoming, outgoing)
      note(String(problem))
      refuse(kind, String(problem), incoming, outgoing)
    }
  }

  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => void check(incoming, outgoing))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url: origin,
    checked,
    verdicts: () => checked.map(({ method, path, verdict }) => `${method} ${path} ${verdict}`),
    /** The nonce that the API demands now. */
    apiNonce: () => nonces.api,
    /** Demands other nonces from now on. */
    changeNonces() {
      counter++
      nonces.token = `nonce-token-${counter}`
      nonces.api = `nonce-api-${counter}`
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
