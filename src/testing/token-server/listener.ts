import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { asyncDisposeKey } from '../../core/platform/disposal.ts'
import { checkCount, wrongKind } from './checks.ts'
import { nodeHttp } from './node-http.ts'
import { ConnectionDropped } from './replies.ts'
import type { ListeningTokenServer, ListenOptions } from './types.ts'

type Handle = (request: Request) => Promise<Response>

const readBody = async (incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> => {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array<ArrayBuffer>)
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

const toRequest = async (
  incoming: IncomingMessage,
  origin: string,
  signal: AbortSignal,
): Promise<Request> => {
  const body = await readBody(incoming)
  const method = incoming.method ?? 'GET'
  // Use the raw list: Node's parsed headers drop repeated fields.
  const headers = new Headers()
  for (let index = 0; index + 1 < incoming.rawHeaders.length; index += 2) {
    headers.append(incoming.rawHeaders[index] ?? '', incoming.rawHeaders[index + 1] ?? '')
  }
  const hasBody = method !== 'GET' && method !== 'HEAD' && body.length > 0
  return new Request(`${origin}${incoming.url ?? '/'}`, {
    method,
    headers,
    signal,
    body: hasBody ? body : null,
  })
}

const send = async (reply: Response, outgoing: ServerResponse): Promise<void> => {
  const body = new Uint8Array(await reply.arrayBuffer())
  outgoing.statusCode = reply.status
  outgoing.statusMessage = reply.statusText
  for (const [name, value] of reply.headers) outgoing.appendHeader(name, value)
  // Close each connection: browsers silently resend a request when a reused one breaks, and would hide scripted drops.
  outgoing.setHeader('connection', 'close')
  outgoing.end(body)
}

const serve = async (
  handle: Handle,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const disconnected = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) disconnected.abort()
  })
  try {
    await send(await handle(await toRequest(incoming, origin, disconnected.signal)), outgoing)
  } catch (error) {
    if (disconnected.signal.aborted || error instanceof ConnectionDropped || outgoing.headersSent) {
      incoming.socket.destroy()
      return
    }
    outgoing.statusCode = 500
    outgoing.end(String(error))
  }
}

/** The host for the URL. Addresses that mean all interfaces cannot be called, so they become loopback. */
const hostFor = (hostname: string): string => {
  if (hostname === '0.0.0.0') return '127.0.0.1'
  if (hostname === '::') return '[::1]'
  return hostname.includes(':') ? `[${hostname}]` : hostname
}

/** Serves a fetch handler over HTTP. `onClose` runs once, when the server stops. */
export const listenOverHttp = async (
  handle: Handle,
  { port = 0, hostname = '127.0.0.1' }: ListenOptions,
  onClose: () => void,
): Promise<ListeningTokenServer> => {
  checkCount('listen: port', port, 0, 65_535)
  if (typeof hostname !== 'string' || hostname === '') throw wrongKind('listen: hostname', 'a name', hostname)
  const { createServer } = await nodeHttp()
  const sockets = new Set<Socket>()
  let origin = ''

  const server = createServer((incoming, outgoing) => void serve(handle, origin, incoming, outgoing))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The token server has no port')
  origin = `http://${hostFor(hostname)}:${address.port}`

  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= new Promise((resolve) => {
      onClose()
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
    return closed
  }
  return { url: origin, close, [asyncDisposeKey()]: close } as ListeningTokenServer
}
