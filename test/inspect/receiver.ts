import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** The GUID of the WebSocket handshake (RFC 6455 §1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Starts a WebSocket server on loopback that records every text it receives from Stately's inspector.
 */
export async function startReceiver() {
  const texts: string[] = []
  const waiting = new Set<() => void>()
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('upgrade', (request, socket: Socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${GUID}`)
      .digest('base64')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write(`${[...lines, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
    sockets.add(socket)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (let frame = readFrame(rest); frame; frame = readFrame(rest)) {
        rest = rest.subarray(frame.size)
        if (frame.opcode === 1) texts.push(frame.text)
        if (frame.opcode === 8) socket.end()
      }
      for (const look of waiting) look()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    texts,
    /** Resolves when a received text matches. */
    until: (matches: (text: string) => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!texts.some(matches)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Reads one frame of a client, which is always masked (RFC 6455 §5.2). Returns undefined if it is incomplete. */
function readFrame(bytes: Buffer) {
  if (bytes.length < 6) return undefined
  const short = bytes.readUInt8(1) & 0x7f
  const header = short === 127 ? 10 : short === 126 ? 4 : 2
  if (bytes.length < header + 4) return undefined
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  const size = header + 4 + length
  if (bytes.length < size) return undefined
  const mask = bytes.subarray(header, header + 4)
  const payload = bytes.subarray(header + 4, size).map((byte, index) => byte ^ (mask[index % 4] ?? 0))
  return { size, opcode: bytes.readUInt8(0) & 0x0f, text: Buffer.from(payload).toString() }
}
