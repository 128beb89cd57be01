/** A server that keeps connections open: WebSockets (RFC 6455), and streams of events. As little of either as tests need. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A connection, as the server has it. */
export interface LiveConnection {
  /** How its token came. */
  readonly how: 'subprotocol' | 'header' | 'cookie'
  readonly token: string
  isOpen: boolean
  send(text: string): void
  /** Ends it; the code is for WebSockets. */
  end(code?: number): void
}

const TEXT = 0x81
const CLOSE = 0x88

const frame = (type: number, payload: Buffer) => Buffer.concat([Buffer.from([type, payload.length]), payload])

/** What the other end tells that way to close: nothing else is looked at. */
const isClose = (chunk: Buffer) => chunk[0] === CLOSE

export async function createLiveServer() {
  const connections: LiveConnection[] = []
  /** How many of the next are turned away before they are connections. */
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
    /** The tokens of the connections that are open. */
    open: () => connections.filter(({ isOpen }) => isOpen).map(({ token }) => token),
    turnAwayNext(count: number) {
      turnedAway = count
    },
    /** Waits until something is true of the connections. */
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
