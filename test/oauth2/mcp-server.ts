import { randomUUID } from 'node:crypto'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js'
import express from 'express'
import { onTestFinished } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import type { TestProvider } from './provider.ts'

export interface McpServerOptions {
  /** What the metadata says. Default: that the provider issues tokens for the URL of the server. */
  readonly metadata?: object
  /** What each request needs. Default: `read`. */
  readonly scopes?: readonly string[]
  /** Describes the whole origin at its well-known address, and names nothing in a 401. */
  readonly isRoot?: boolean
  /** Describes the whole origin in the metadata that a 401 names. */
  readonly isWide?: boolean
  /** Opens a stream for everyone: only calls need a token. */
  readonly isOpen?: boolean
}

/** A real MCP server over Streamable HTTP, behind the SDK's own check of bearer tokens. The tool `write` needs the scope `write`. */
export async function startMcpServer(provider: TestProvider, options: McpServerOptions = {}) {
  const app = express()
  const listener = await listen(app)
  onTestFinished(listener.close)
  const url = `${listener.url}/mcp`
  /** The status of each answer to a POST. */
  const statuses: number[] = []
  const transports = new Map<string, StreamableHTTPServerTransport>()
  onTestFinished(async () => {
    for (const transport of transports.values()) await transport.close()
  })

  const verifier = {
    async verifyAccessToken(token: string) {
      const found = await provider.introspect(token)
      if (!found?.isValid) throw new InvalidTokenError('The token is not valid')
      const extra = { user: found.accountId }
      const { clientId, scopes, exp = 0 } = found
      return { token, clientId: String(clientId), scopes: [...scopes], expiresAt: exp, extra }
    },
  }
  const wellKnown = '/.well-known/oauth-protected-resource'
  const place = options.isRoot ? wellKnown : `${wellKnown}/mcp`
  const metadata = {
    resource: options.isRoot || options.isWide ? listener.url : url,
    authorization_servers: [provider.url],
    scopes_supported: ['read'],
    ...options.metadata,
  }
  const named = options.isRoot ? {} : { resourceMetadataUrl: listener.url + place }
  app.get(place, (_request, response) => void response.json(metadata))
  if (options.isOpen)
    app.get('/mcp', (_request, response) => {
      response.setHeader('content-type', 'text/event-stream').flushHeaders()
    })
  app.use('/mcp', express.json(), (request, response, next) => {
    response.on('finish', () => request.method === 'POST' && statuses.push(response.statusCode))
    const isWrite = request.body?.params?.name === 'write'
    const { scopes = ['read'] } = options
    const requiredScopes = isWrite ? [...scopes, 'write'] : [...scopes]
    void requireBearerAuth({ verifier, requiredScopes, ...named })(request, response, next)
  })
  app.all('/mcp', async (request, response) => {
    const known = transports.get(String(request.headers['mcp-session-id']))
    const transport = known ?? (isInitializeRequest(request.body) ? await connect() : undefined)
    if (transport) await transport.handleRequest(request, response, request.body)
    else response.status(404).end()
  })

  async function connect() {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void transports.set(id, transport),
    })
    const server = new McpServer({ name: 'notes', version: '1.0.0' })
    for (const tool of ['read', 'write'])
      server.registerTool(tool, { description: tool }, ({ authInfo }) => ({
        content: [{ type: 'text', text: `${tool} by ${authInfo?.extra?.user}` }],
      }))
    await server.connect(transport as Parameters<typeof server.connect>[0])
    return transport
  }

  return { url, origin: listener.url, statuses, sessions: transports }
}
