import type { ToPage, ToServer } from './messages.ts'

interface Waiting {
  resolve(answer: Response): void
  reject(reason: unknown): void
}

/** Statuses whose answers have no body. */
const EMPTY = [101, 204, 205, 304]

/** Creates a `fetch` that sends its requests through a port to a server in the browser. */
export function createPortFetch(port: MessagePort): typeof fetch {
  const waiting = new Map<number, Waiting>()
  let last = 0
  const post = (message: ToServer) => port.postMessage(message)

  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    const one = waiting.get(data.id)
    waiting.delete(data.id)
    if ('lost' in data) one?.reject(new TypeError('Failed to fetch'))
    else {
      const { status, headers, body } = data
      const init = { status, headers: headers.map(([name, value]): [string, string] => [name, value]) }
      one?.resolve(new Response(EMPTY.includes(status) ? null : body, init))
    }
  }

  return async (input, init) => {
    const request = new Request(input, init)
    const { method, url, signal } = request
    signal.throwIfAborted()
    const body = method === 'GET' || method === 'HEAD' ? undefined : await request.arrayBuffer()
    signal.throwIfAborted()
    last += 1
    const id = last
    return new Promise<Response>((resolve, reject) => {
      waiting.set(id, { resolve, reject })
      signal.addEventListener('abort', () => {
        if (!waiting.delete(id)) return
        post({ id, aborted: true })
        reject(signal.reason)
      })
      post({ id, url, method, headers: [...request.headers], body })
    })
  }
}
