import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAuth, onStepUp } from '../../src/index.ts'
import { memoryTransactions, stepUp } from '../../src/oauth2/index.ts'
import { authMcp, discoverMcp, type McpOAuthOptions, registeredClient } from '../../src/oauth2/mcp.ts'
import { type McpServerOptions, startMcpServer } from './mcp-server.ts'
import {
  APP,
  CALLBACK,
  createBrowser,
  type ProviderOptions,
  startProvider,
  type TestProvider,
} from './provider.ts'

async function start(
  options?: McpServerOptions,
  more: Partial<McpOAuthOptions> = {},
  providerOptions?: ProviderOptions,
) {
  const provider = await startProvider(providerOptions)
  const mcp = await startMcpServer(provider, options)
  const discover = (changes: Partial<McpOAuthOptions> = {}) =>
    discoverMcp(mcp.url, {
      clientId: APP,
      redirectUri: CALLBACK,
      transactions: memoryTransactions(),
      ...more,
      ...changes,
    })
  return { provider, mcp, discover }
}

/** An MCP client with a session, connected. */
async function setUp(
  options?: McpServerOptions,
  more?: Partial<McpOAuthOptions>,
  providerOptions?: ProviderOptions,
) {
  const made = await start(options, more, providerOptions)
  const { mcp, discover } = made
  const oauth = await discover()
  const auth = createAuth({ ...oauth.ports, singleUser: true })
  onTestFinished(() => auth.dispose())
  const browse = createBrowser()
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  const client = new Client({ name: 'test', version: '1.0.0' })
  // As a user writes it.
  await client.connect(new StreamableHTTPClientTransport(new URL(mcp.url), authMcp(auth, mcp.url)))
  onTestFinished(() => client.close())
  const call = async (name: string) => {
    const { content } = await client.callTool({ name })
    return (content as { text: string }[])[0]?.text
  }
  const refreshes: unknown[] = []
  auth.on('refreshed', (event) => void refreshes.push(event))
  return { ...made, oauth, auth, browse, client, call, refreshes }
}

/** Makes an access token useless, as a server that lost it; and with `isGrant` the refresh token, too. */
async function kill(provider: TestProvider, token: string, isGrant = false) {
  const found = await provider.introspect(token)
  if (isGrant) await provider.provider.RefreshToken.revokeByGrantId(String(found?.grantId))
  await found?.destroy()
}

test('a client finds its authorization server, signs in, and calls a tool as its user', async () => {
  const { mcp, oauth, auth, call, provider } = await setUp()
  expect(oauth.scope).toBe('read')
  expect(await call('read')).toBe('read by ada')
  const token = await provider.introspect(await auth.getAccessToken())
  expect(token?.aud).toBe(mcp.url)
  expect(mcp.statuses.filter((status) => status >= 400)).toEqual([])
})

test('twenty calls at once on a token that is refused cause one refresh, and all succeed', async () => {
  const { mcp, auth, call, refreshes, provider } = await setUp()
  await kill(provider, await auth.getAccessToken())
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('read')))
  expect(answers).toEqual(Array(20).fill('read by ada'))
  expect(refreshes).toHaveLength(1)
  expect(mcp.sessions.size).toBe(1)
  expect(provider.problems).toEqual([])
})

test('the end of a session reaches the caller in one try, and the client goes on after the next sign-in', async () => {
  const { mcp, auth, oauth, browse, call, provider } = await setUp()
  await kill(provider, await auth.getAccessToken(), true)
  const before = mcp.statuses.length
  await expect(call('read')).rejects.toMatchObject({
    name: 'SessionExpiredError',
    code: 'session_expired',
    reason: 'invalid_grant',
  })
  expect(mcp.statuses.slice(before)).toEqual([401])
  await expect(call('read')).rejects.toMatchObject({ code: 'session_expired' })
  expect(mcp.statuses.slice(before)).toEqual([401])
  await auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl()) })
  expect(await call('read')).toBe('read by ada')
  expect(mcp.sessions.size).toBe(1)
})

test('a tool that needs more scope is called after the user has granted it, in the same session of both kinds', async () => {
  const { mcp, auth, oauth, browse, call } = await setUp()
  const asked: unknown[] = []
  onStepUp(
    auth,
    stepUp(oauth, async (request) => {
      asked.push(request)
      return { via: 'callback', url: await browse(await oauth.authorizationUrl(request)) }
    }),
  )
  expect(await Promise.all([call('write'), call('write'), call('write')])).toEqual(
    Array(3).fill('write by ada'),
  )
  expect(asked).toEqual([{ scope: 'read write' }])
  expect(mcp.statuses.filter((status) => status === 403)).toHaveLength(3)
  expect(mcp.sessions.size).toBe(1)
  expect(auth.session?.epoch).toBe(1)
})

test('without a handler, the refusal of a tool is an error of the client', async () => {
  const { mcp, call } = await setUp()
  const before = mcp.statuses.length
  await expect(call('write')).rejects.toMatchObject({ code: 403 })
  expect(mcp.statuses.slice(before)).toEqual([403])
})

test('the token goes to the MCP server only', async () => {
  const { auth, mcp } = await setUp()
  const sent: [string, string | null][] = []
  const spy: typeof fetch = async (input, init) => {
    sent.push([String(input), new Headers(init?.headers).get('authorization')])
    return new Response()
  }
  const { fetch: send } = authMcp(auth, mcp.url, { fetch: spy })
  await send('https://elsewhere.example/mcp')
  await send(new URL(mcp.url), { method: 'DELETE' })
  expect(sent).toEqual([
    ['https://elsewhere.example/mcp', null],
    [mcp.url, `Bearer ${await auth.getAccessToken()}`],
  ])
})

describe('the discovery', () => {
  test('finds the metadata of the origin, if the server names none for its path', async () => {
    const { mcp, discover } = await start({ isRoot: true })
    const url = await (await discover()).authorizationUrl()
    expect(url.searchParams.get('resource')).toBe(mcp.origin)
  })

  test('accepts metadata of the origin in the place that the 401 names', async () => {
    const { mcp, discover } = await start({ isWide: true })
    const url = await (await discover()).authorizationUrl()
    expect(url.searchParams.get('resource')).toBe(mcp.origin)
  })

  test('asks for the scope of the 401, then for that of the metadata, unless the app names one', async () => {
    const { discover } = await start({ metadata: { scopes_supported: ['everything'] } })
    expect((await discover()).scope).toBe('read')
    expect((await discover({ scope: 'openid' })).scope).toBe('openid')
    const open = await start({ scopes: [], metadata: { scopes_supported: ['read', 'write'] } })
    expect((await open.discover()).scope).toBe('read write')
  })

  test('takes the issuer that the app trusts, if the server names it', async () => {
    const { provider, discover } = await start()
    expect(await discover({ issuer: `${provider.url}/` })).toBeDefined()
    await expect(discover({ issuer: 'https://id.example.com' })).rejects.toMatchObject({
      name: 'OAuthError',
      reason: 'wrong_issuer',
    })
  })

  test.each([
    ['names no authorization server', { authorization_servers: [] }],
    ['is for another resource', { resource: 'https://elsewhere.example/mcp' }],
  ])('refuses metadata that %s', async (_, metadata) => {
    const { discover } = await start({ metadata })
    await expect(discover()).rejects.toMatchObject({ reason: 'resource_discovery_failed' })
  })

  test('refuses plain http with other machines, and reports a server that does not answer', async () => {
    await expect(discoverMcp('http://mcp.example.com/mcp', { clientId: APP })).rejects.toMatchObject({
      reason: 'insecure',
    })
    const { mcp } = await start()
    const failing = () => Promise.reject(new TypeError('fetch failed'))
    await expect(discoverMcp(mcp.url, { clientId: APP, fetch: failing })).rejects.toMatchObject({
      name: 'OAuthError',
      reason: 'network',
    })
  })
})

test('a server that opens a stream for everyone is discovered at its well-known address', async () => {
  const { discover, provider } = await start({ isOpen: true })
  const oauth = await discover()
  expect((await oauth.authorizationUrl()).origin).toBe(provider.url)
}, 4_000)

describe('a client that is not known to the authorization server', () => {
  const DOCUMENT = 'https://tool.example.com/client.json'
  const ALG = { id_token_signed_response_alg: 'ES256' }
  const documents = {
    [DOCUMENT]: {
      ...ALG,
      client_id: DOCUMENT,
      client_name: 'Tool',
      application_type: 'native',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
  }
  const registrations = ({ requests }: TestProvider) => requests.filter((line) => line === 'POST /reg').length
  const clientOf = async (auth: { getAccessToken(): Promise<string> }, provider: TestProvider) =>
    (await provider.introspect(await auth.getAccessToken()))?.clientId

  test('registers once for each server, and goes on as any other', async () => {
    const store = memoryTransactions()
    const clientId = registeredClient({ metadata: { ...ALG, client_name: 'Tool' }, store })
    const { provider, auth, call, discover, refreshes } = await setUp({}, { clientId }, { registers: true })
    expect(await call('read')).toBe('read by ada')
    const registered = String(await clientOf(auth, provider))
    expect(registered).not.toBe(APP)
    await kill(provider, await auth.getAccessToken())
    expect(await call('read')).toBe('read by ada')
    expect(refreshes).toHaveLength(1)
    expect(registrations(provider)).toBe(1)

    // The next run finds the client ID, unless it asks for something else.
    const next = await discover()
    expect((await next.authorizationUrl()).searchParams.get('client_id')).toBe(registered)
    expect(registrations(provider)).toBe(1)
    await discover({ redirectUri: 'http://127.0.0.1/elsewhere' })
    expect(registrations(provider)).toBe(2)
    // Another server has not issued that client ID.
    const other = await setUp({}, { clientId }, { registers: true })
    expect(registrations(other.provider)).toBe(1)
    expect(await clientOf(other.auth, other.provider)).not.toBe(registered)
  })

  test('keeps its client ID beside that of another client in the same store', async () => {
    const store = memoryTransactions()
    const first = registeredClient({ metadata: { ...ALG, client_name: 'First' }, store })
    const second = registeredClient({ metadata: { ...ALG, client_name: 'Second' }, store })
    const { provider, discover } = await start({}, {}, { registers: true })
    const idOf = async (changes: Partial<McpOAuthOptions>) =>
      (await (await discover(changes)).authorizationUrl()).searchParams.get('client_id')
    const elsewhere = { clientId: second, redirectUri: 'http://127.0.0.1/elsewhere' }
    const ids = [await idOf({ clientId: first }), await idOf({ clientId: second }), await idOf(elsewhere)]

    expect(new Set(ids).size).toBe(3)
    expect(await idOf({ clientId: first })).toBe(ids[0])
    expect(await idOf({ clientId: second })).toBe(ids[1])
    expect(await idOf(elsewhere)).toBe(ids[2])
    expect(registrations(provider)).toBe(3)
  })

  test('registers once in each run if it is given no store', async () => {
    const clientId = registeredClient({ metadata: ALG })
    const { provider, discover } = await setUp({}, { clientId }, { registers: true })
    await discover()
    expect(registrations(provider)).toBe(1)
  })

  test('registers in each run if its store is full or blocked', async () => {
    const blocked = () => {
      throw new DOMException('', 'SecurityError')
    }
    const clientId = registeredClient({ metadata: ALG, store: { read: blocked, write: blocked } })
    const { provider, call, discover } = await setUp({}, { clientId }, { registers: true })
    expect(await call('read')).toBe('read by ada')
    await discover()
    expect(registrations(provider)).toBe(2)
  })

  test('registers anew in the next run, if the server has lost it', async () => {
    const clientId = registeredClient({ metadata: ALG, store: memoryTransactions() })
    const { provider, auth, discover, browse } = await setUp({}, { clientId }, { registers: true })
    const lost = String(await clientOf(auth, provider))
    const { Client: clients } = provider.provider as unknown as {
      Client: { adapter: { destroy(id: string): Promise<void> } }
    }
    const other = { redirectUri: 'http://127.0.0.1/elsewhere' }
    const kept = (await (await discover(other)).authorizationUrl()).searchParams.get('client_id')
    await clients.adapter.destroy(lost)
    await expect(auth.refresh()).rejects.toMatchObject({ reason: 'invalid_client' })

    const oauth = await discover()
    const start = await oauth.authorizationUrl()

    expect(start.searchParams.get('client_id')).not.toBe(lost)
    const next = createAuth({ ...oauth.ports, singleUser: true })
    onTestFinished(() => next.dispose())
    await next.signIn({ via: 'callback', url: await browse(start) })
    // What else was registered there stays.
    expect((await (await discover(other)).authorizationUrl()).searchParams.get('client_id')).toBe(kept)
    expect(registrations(provider)).toBe(3)
  })

  test('uses its metadata document at a server that supports it, and registers nothing', async () => {
    const clientId = registeredClient({ metadataUrl: DOCUMENT, metadata: ALG })
    const { provider, auth, call } = await setUp({}, { clientId }, { registers: true, documents })
    expect(await call('read')).toBe('read by ada')
    expect(await clientOf(auth, provider)).toBe(DOCUMENT)
    expect(registrations(provider)).toBe(0)
  })

  test('has to be registered by hand if the server offers nothing else', async () => {
    const clientId = registeredClient({ metadataUrl: DOCUMENT })
    const { discover } = await start({}, { clientId })
    await expect(discover()).rejects.toMatchObject({
      name: 'OAuthError',
      reason: 'registration_unsupported',
      message: expect.stringMatching(/Register the client by hand/),
    })
    const { discover: other, provider } = await start({}, {}, { registers: true })
    await expect(other({ clientId: registeredClient({ metadata: false }) })).rejects.toMatchObject({
      reason: 'registration_unsupported',
    })
    expect(registrations(provider)).toBe(0)
  })

  test.each([
    ['refuses it', { redirect_uris: ['not a URL'] }],
    ['gives it a secret', { ...ALG, token_endpoint_auth_method: 'client_secret_basic' }],
  ])('gets an error with a name if the server %s', async (_, metadata) => {
    const store = memoryTransactions()
    const clientId = registeredClient({ metadata, store })
    const { discover } = await start({}, { clientId }, { registers: true })
    await expect(discover()).rejects.toMatchObject({ name: 'OAuthError', reason: 'registration_failed' })
    expect([...(await store.keys())]).toEqual([])
  })
})
