/** An API of an app's own in front of a token server: `/login`, `/refresh` and `/logout` take JSON and answer in camel case. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TokenServer } from '../../src/testing/index.ts'

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}

/** The path of the token server, and the body that it takes. */
function translated(path: string, text: string): readonly [path: string, body: string] | undefined {
  const fields = text === '' ? {} : JSON.parse(text)
  const refresh = { grant_type: 'refresh_token', refresh_token: fields.refreshToken }
  const bodies: Record<string, readonly [string, object]> = {
    '/login': ['/session', fields],
    '/refresh': ['/token', refresh],
    '/logout': ['/revoke', { token: fields.refreshToken }],
  }
  const found = bodies[path]
  return found && [found[0], JSON.stringify(found[1])]
}

const inCamelCase = (fields: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name.replace(/_./g, (part) => part.charAt(1).toUpperCase()),
      value,
    ]),
  )

/**
 * Serves it on this machine.
 *
 * @param server issues and checks the tokens
 * @returns the origin, and what stops it
 */
export async function serveJsonApi(server: TokenServer): Promise<{ url: string; close: () => void }> {
  const http = createServer(async (incoming, outgoing) => {
    const { url = '/', method = 'GET' } = incoming
    const headers = new Headers(incoming.headers as Record<string, string>)
    headers.delete('content-length')
    const text = await textOf(incoming)
    const own = method === 'POST' ? translated(url, text) : undefined
    const [path, body] = own ?? [url, text]
    const init = { method, headers, ...(body !== '' && { body }) }
    const answer = await server.handle(new Request(`${server.origin}${path}`, init))
    const answered = await answer.text()
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
    outgoing.end(
      own && answer.ok && answered !== '' ? JSON.stringify(inCamelCase(JSON.parse(answered))) : answered,
    )
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  const close = () => {
    http.close()
    http.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}
