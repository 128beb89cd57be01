/** The part of a Supabase project that its page uses: Auth and the REST API, in front of a token server. */
import { createTokenServer, type TokenServer } from '../../src/testing/index.ts'
import { type Service, serve } from './service.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

const createSupabase = () =>
  createTokenServer({
    jwt: true,
    reuseGrace: 10_000,
    paths: { signIn: '/password', refresh: '/refresh_token', revoke: '/logout', api: '/rest/v1/' },
    parse: ({ email, ...fields }) => ({ ...fields, ...(email !== undefined && { username: email }) }),
    format: (tokens, { subject }) => ({ ...tokens, token_type: 'bearer', user: { id: subject } }),
    // Not in the words of RFC 6749.
    formatError: (_, { endpoint }) => ({
      code: endpoint === 'signIn' ? 'invalid_credentials' : 'refresh_token_already_used',
    }),
  })

async function answerAsSupabase(server: TokenServer, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const isPreflight = request.method === 'OPTIONS'
  if (!isPreflight && !request.headers.get('apikey'))
    return Response.json({ message: 'No API key found in request' }, { status: 401 })
  const pass = (path: string, init?: RequestInit) =>
    server.handle(new Request(`${server.origin}${path}`, init ?? request))
  if (pathname === '/auth/v1/token') {
    const grant = `/${searchParams.get('grant_type')}`
    return isPreflight
      ? pass(grant)
      : pass(grant, { method: 'POST', body: await request.text(), headers: JSON_TYPE })
  }
  if (pathname === '/auth/v1/logout' && !isPreflight) {
    const token = request.headers.get('authorization')?.slice('Bearer '.length)
    const { headers } = await pass('/logout', {
      method: 'POST',
      body: JSON.stringify({ token }),
      headers: JSON_TYPE,
    })
    return new Response(null, { status: 204, headers })
  }
  return pass(pathname.replace('/auth/v1', ''), request)
}

export async function startSupabase(): Promise<Service & { readonly server: TokenServer }> {
  const server = createSupabase()
  const { url, close } = await serve((request) => answerAsSupabase(server, request))
  const replace = { 'https://project.supabase.co': url }
  return { server, replace, expire: () => server.expireAccessTokens(), close }
}
