/** `Request` and `Response` over Node's HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

/** The request, whose signal aborts when the client goes. */
export async function toRequest(incoming: IncomingMessage, outgoing: ServerResponse): Promise<Request> {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const { method = 'GET', headers, url = '/' } = incoming
  const body = await buffer(incoming)
  return new Request(`http://${headers.host}${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
    signal: gone.signal,
    body: body.length > 0 && method !== 'GET' && method !== 'HEAD' ? new Uint8Array(body) : null,
  })
}

export async function send(answer: Response, outgoing: ServerResponse): Promise<void> {
  const body = new Uint8Array(await answer.arrayBuffer())
  for (const [name, value] of answer.headers) outgoing.appendHeader(name, value)
  // Browsers silently send a request again when a connection dies that was used before: nothing would be seen of a loss.
  outgoing.setHeader('connection', 'close')
  outgoing.writeHead(answer.status)
  outgoing.end(body)
}
