/** A server with WebSockets (RFC 6455) and event streams, reduced to what the tests need. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The server's side of a connection. */
export interface LiveConnection {
  /** How the token was sent. */
  readonly how: 'subprotocol' | 'header' | 'cookie'
  readonly token: string
  isOpen: boolean
  send(text: string): void
  /** Closes the connection. The code applies to WebSockets. */
  end(code?: number): void
}

const TEXT = 0x81
const CLOSE = 0x88

const frame = (type: number, payload: Buffer) => Buffer.concat([Buffer.from([type, payload.length]), payload])

/** The opcode of a close frame; all other frames are ignored. */
const isClose = (chunk: Buffer) => chunk[0] === CLOSE

export async function createLiveServer() {
  const connections: LiveConnection[] = []
  /** How many of the next connection attempts are rejected. */
  let turnedAway = 0
  let wake = () => {}

  const add = (connection: Omit<LiveConnection, 'isOpen'>, stream: Duplex) => {
    const live: LiveConnection = Object.assign(connection, { isOpen: true })
    connections.push(live)
    stream.on('error', () => {})
    stream.on('close', () => {
      live.isOpen = false
      wake()
    })
    wake()
    return live
  }

  const server = createServer((request, response) => {
    const { authorization = '', cookie = '', origin = '*' } = request.headers
    const cors = {
      'access-control-allow-origin': origin,
      'access-control-allow-headers': 'authorization',
      'access-control-allow-credentials': 'true',
    }
    if (request.method === 'OPTIONS' || turnedAway > 0) {
      if (request.method !== 'OPTIONS') turnedAway--
      response.writeHead(request.method === 'OPTIONS' ? 204 : 503, cors).end()
      return
    }
    response.writeHead(200, { ...cors, 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const [, bearer] = /^Bearer (.*)/.exec(authorization) ?? []
    add(
      {
        how: bearer ? 'header' : 'cookie',
        token: bearer ?? cookie,
        send: (text) => response.write(`data: ${text}\n\n`),
        end: () => response.end(),
      },
      response.socket as Socket,
    )
  })

  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (turnedAway > 0) {
      turnedAway--
      socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const { 'sec-websocket-key': key, 'sec-websocket-protocol': protocols = '' } = request.headers
    const [protocol = '', token = ''] = protocols.split(/, */)
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
        `Sec-WebSocket-Protocol: ${protocol}`,
        '\r\n',
      ].join('\r\n'),
    )
    const end = (code = 1000) => {
      socket.end(frame(CLOSE, Buffer.from([code >> 8, code & 255])))
    }
    add(
      { how: 'subprotocol', token, send: (text) => socket.write(frame(TEXT, Buffer.from(text))), end },
      socket,
    )
    socket.on('data', (chunk: Buffer) => {
      if (isClose(chunk)) end()
    })
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    connections,
    /** The tokens of the open connections. */
    open: () => connections.filter(({ isOpen }) => isOpen).map(({ token }) => token),
    turnAwayNext(count: number) {
      turnedAway = count
    },
    /** Waits until the connections fulfill a condition. */
    async until(condition: () => boolean) {
      while (!condition()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type LiveServer = Awaited<ReturnType<typeof createLiveServer>>
