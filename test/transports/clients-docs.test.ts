/** The recipes of docs/guides/clients.md, as they are written there, over real HTTP. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as trpcClient from '@trpc/client'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import * as urql from '@urql/core'
import { gql, type Client as Urql } from '@urql/core'
import * as graphqlRequest from 'graphql-request'
import ky, { type KyInstance } from 'ky'
import createClient, { type Client as OpenApi } from 'openapi-fetch'
import ts from 'typescript'
import * as undici from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import wretch, { type Wretch } from 'wretch'
import { isSessionError } from '../../src/index.ts'
import * as authFetch from '../../src/transports/fetch.ts'
import * as authGraphql from '../../src/transports/graphql.ts'
import * as authKy from '../../src/transports/ky.ts'
import * as authUndici from '../../src/transports/undici.ts'
import { outcomes, setUp, type TestAuth } from '../conformance/harness.ts'
import { type Snippet, snippetsOf } from '../package/readme-source.ts'
import { type AppRouter, createContext, router } from './trpc-router.ts'

const PAGE = 'docs/guides/clients.md'
const MODULES: Readonly<Record<string, unknown>> = {
  undici,
  ky: { __esModule: true, default: ky },
  wretch: { __esModule: true, default: wretch },
  'openapi-fetch': { __esModule: true, default: createClient },
  'graphql-request': graphqlRequest,
  '@urql/core': urql,
  '@trpc/client': trpcClient,
  'authchart/fetch': authFetch,
  'authchart/graphql': authGraphql,
  'authchart/ky': authKy,
  'authchart/undici': authUndici,
}

/** An API that refuses the first token of a session: by a 401, in GraphQL by a 200, in tRPC within a batch. */
async function startApi() {
  const log: string[] = []
  const trpc = createHTTPHandler({ router, createContext, basePath: '/trpc/' })
  const server = createServer(async (incoming, outgoing) => {
    const { url = '', headers } = incoming
    log.push(url)
    if (url.startsWith('/trpc')) return trpc(incoming, outgoing)
    incoming.resume()
    const isRefused = !headers.authorization || headers.authorization.startsWith('Bearer at-1-1-')
    const isGraphQL = url.startsWith('/graphql')
    const refusal = { errors: [{ message: 'Sign in', extensions: { code: 'UNAUTHENTICATED' } }], data: null }
    outgoing.writeHead(isRefused && !isGraphQL ? 401 : 200, { 'content-type': 'application/json' })
    outgoing.end(
      JSON.stringify(isGraphQL ? (isRefused ? refusal : { data: { me: 'ada' } }) : { user: 'ada' }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, log }
}

/** Runs a recipe as a module, against a server here. Returns what it exports. */
function run({ code }: Snippet, auth: TestAuth, url: string): Record<string, unknown> {
  const { outputText } = ts.transpileModule(code.replaceAll('https://api.example.com', url), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  })
  const exported = {}
  const load = (name: string) => {
    if (!(name in MODULES)) throw new Error(`The recipe imports ${name}`)
    return MODULES[name]
  }
  new Function('require', 'exports', 'auth', outputText)(load, exported, auth)
  return exported
}

type Paths = { '/me': { get: { responses: { 200: { content: { 'application/json': { user: string } } } } } } }

/** One call with each client. It throws if the call fails. */
const CALLS: { readonly [heading: string]: (made: never, url: string, n: number) => Promise<unknown> } = {
  undici: async ({ get }: { get: (path: string) => Promise<undici.Dispatcher.ResponseData> }) => {
    const { statusCode, body } = await get('/me')
    await body.dump()
    return expect(statusCode).toBe(200)
  },
  ky: ({ api }: { api: KyInstance }, url) => api.get(`${url}/me`).json(),
  wretch: ({ api }: { api: Wretch }) => api.get('/me').json(),
  'openapi-fetch': async ({ api }: { api: OpenApi<Paths> }) => {
    const { response } = await api.GET('/me')
    expect(response.status).toBe(200)
  },
  'graphql-request': ({ api }: { api: graphqlRequest.GraphQLClient }) => api.request('{ me }'),
  urql: async ({ api }: { api: Urql }, _, n) => {
    const { data, error } = await api.query(gql('query ($n: Int) { me }'), { n }).toPromise()
    if (error) throw error
    expect(data).toEqual({ me: 'ada' })
  },
  tRPC: ({ api }: { api: ReturnType<typeof trpcClient.createTRPCClient<AppRouter>> }, _, n) =>
    n % 2 === 0 ? api.secret.query() : api.open.query(),
}

/** One for each client. The other snippets of the page are parts of an app, and are compiled only. */
const snippets = snippetsOf(PAGE).filter(({ heading }) => heading in CALLS)

describe(PAGE, () => {
  test('has a recipe for each client that is called here, of at most six lines', () => {
    expect(snippets.map(({ heading }) => heading)).toEqual(Object.keys(CALLS))
    for (const { code } of snippets) expect(code.trim().split('\n').length).toBeLessThanOrEqual(6)
  })
})

describe.each(snippets)('the recipe of $heading', (snippet) => {
  test('twenty calls at once with an expired token cause one refresh', async () => {
    const { signedIn, server } = await setUp()
    const { url } = await startApi()
    const made = run(snippet, await signedIn(), url) as never

    const results = Array.from({ length: 20 }, (_, n) => CALLS[snippet.heading]!(made, url, n))

    expect((await Promise.allSettled(results)).filter(({ status }) => status === 'rejected')).toEqual([])
    expect(server.refreshes).toBe(1)
  })

  test('the end of the session is recognised, in one try', async () => {
    const { signedIn, server } = await setUp()
    const { url, log } = await startApi()
    const auth = await signedIn()
    const made = run(snippet, auth, url) as never
    server.killRefreshTokens()
    const call = () => CALLS[snippet.heading]!(made, url, 0)

    const [first] = await outcomes([call()])
    const sent = log.length
    const begin = performance.now()
    const [second] = await outcomes([call()])

    expect([isSessionError(first), isSessionError(second), auth.state]).toEqual([true, true, 'expired'])
    expect([log.length, server.tokenRequests]).toEqual([sent, 1])
    // The shortest wait before a retry, of ky, is 300 ms.
    expect(performance.now() - begin).toBeLessThan(250)
  })
})
