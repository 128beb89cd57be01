/** Converts between Node's HTTP and `Request` and `Response`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** Creates a `Request`. Its signal aborts if the client disconnects. */
export async function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Request> {
  const disconnected = new AbortController()
  outgoing.once('close', () => disconnected.abort())
  const { method = 'GET', headers, url = '/' } = incoming
  const body = await buffer(incoming)
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
    signal: disconnected.signal,
    body: body.length > 0 && method !== 'GET' && method !== 'HEAD' ? new Uint8Array(body) : null,
  })
}

export async function send(answer: Response, outgoing: ServerResponse): Promise<void> {
  const body = new Uint8Array(await answer.arrayBuffer())
  for (const [name, value] of answer.headers) outgoing.appendHeader(name, value)
  // If a reused connection breaks, browsers silently repeat the request, and a lost answer would go unnoticed.
  outgoing.setHeader('connection', 'close')
  outgoing.writeHead(answer.status)
  outgoing.end(body)
}
