import { createWorld } from '../server/world.ts'
import type { ToPage, ToServer } from './messages.ts'

const world = createWorld()

/** Answers the requests of a page that come through a port. */
export function serve(port: MessagePort): void {
  const open = new Map<number, AbortController>()
  const post = (message: ToPage) => port.postMessage(message)

  async function answer(message: Exclude<ToServer, { aborted: true }>): Promise<ToPage> {
    const { id, url, method, headers, body } = message
    const connection = new AbortController()
    const { signal } = connection
    open.set(id, connection)
    const closed = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
    try {
      const request = new Request(url, {
        method,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
        body: body ?? null,
        signal,
      })
      const handled = world.handle(request, () => connection.abort())
      const found = (await Promise.race([handled, closed])) ?? new Response(null, { status: 404 })
      return { id, status: found.status, headers: [...found.headers], body: await found.arrayBuffer() }
    } catch {
      return { id, lost: true }
    } finally {
      open.delete(id)
    }
  }

  port.onmessage = async ({ data }: MessageEvent<ToServer>) => {
    if ('aborted' in data) open.get(data.id)?.abort()
    else post(await answer(data))
  }
}
