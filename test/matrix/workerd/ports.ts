/** The part of `node:http` that the token server uses, over ports of the Node process. */
import { Buffer } from 'node:buffer'
import type { Answered, Arrived } from './protocol.ts'

type Listener = (incoming: unknown, outgoing: unknown) => void

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** An answer that is being written. */
function createOutgoing(settle: (answered: Answered | undefined) => void) {
  const headers: [string, string][] = []
  const closed: (() => void)[] = []
  return {
    statusCode: 200,
    statusMessage: '',
    headersSent: false,
    writableFinished: false,
    appendHeader: (name: string, value: string) => void headers.push([name, value]),
    setHeader: (name: string, value: string) => void headers.push([name, value]),
    once: (_: 'close', listener: () => void) => void closed.push(listener),
    end(body: Uint8Array | string = '') {
      this.headersSent = true
      this.writableFinished = true
      const { statusCode: status, statusMessage: statusText } = this
      settle({ status, statusText, headers, body: toBase64(Buffer.from(body as Uint8Array)) })
    },
    /** The client has closed the connection. */
    disconnect() {
      for (const listener of closed) listener()
      settle(undefined)
    },
  }
}

export function createPorts(node: string) {
  const listeners = new Map<number, Listener>()
  const open = new Map<number, ReturnType<typeof createOutgoing>>()
  const ask = async (path: string) => (await fetch(node + path, { method: 'POST' })).json()

  function serve({ id, port, method, url, rawHeaders, body }: Arrived) {
    return new Promise<Answered | undefined>((resolve) => {
      const outgoing = createOutgoing(resolve)
      open.set(id, outgoing)
      const incoming = {
        method,
        url,
        rawHeaders,
        socket: { destroy: () => resolve(undefined) },
        async *[Symbol.asyncIterator]() {
          yield new Uint8Array(Buffer.from(body, 'base64'))
        },
      }
      const listener = listeners.get(port)
      if (listener) listener(incoming, outgoing)
      else resolve(undefined)
    }).finally(() => open.delete(id))
  }

  return {
    createServer(listener: Listener) {
      let port = 0
      return {
        on: () => {},
        once: () => {},
        listen(_port: number, _hostname: string, onListening: () => void) {
          void ask('/listen').then((answer) => {
            port = Number(answer)
            listeners.set(port, listener)
            onListening()
          })
        },
        address: () => ({ port }),
        close(onClose: () => void) {
          listeners.delete(port)
          void ask(`/close?${port}`).then(onClose)
        },
      }
    },

    /** Receives what the Node process sends. */
    async receive(request: Request): Promise<Response> {
      const arrived = (await request.json()) as Arrived
      if (new URL(request.url).pathname === '/gone') open.get(arrived.id)?.disconnect()
      else return Response.json((await serve(arrived)) ?? null)
      return Response.json(null)
    },
  }
}
