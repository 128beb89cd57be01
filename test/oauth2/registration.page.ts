/** A page that finds its client ID, as an MCP client does. */
import { Connection } from '../../src/oauth2/connection.ts'
import { registeredClient } from '../../src/oauth2/mcp.ts'

const issuer = document.title
const clientId = registeredClient({ metadata: { client_name: 'Tool' } })
const connection = new Connection({ issuer, clientId: '', redirectUri: `${issuer}/callback` })

Object.assign(globalThis, { findClientId: () => clientId(connection) })
