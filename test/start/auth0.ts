/** An Auth0 tenant, as far as its page needs one, and an API that trusts it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createProvider } from '../../examples/demo/provider.ts'
import { type Service, serve } from './service.ts'

const PAGE = 'http://localhost:5173'
const API_PORT = 8080

export async function startAuth0(): Promise<Service> {
  /** The tokens that have not expired, by their `jti`. */
  const valid = new Set<unknown>()
  const tenant = createServer()
  await new Promise<void>((resolve) => tenant.listen(0, 'localhost', resolve))
  const issuer = `http://localhost:${(tenant.address() as AddressInfo).port}/`

  const keys = createRemoteJWKSet(new URL(`${issuer}jwks`))
  const api = await serve(async (request) => {
    const headers = {
      'access-control-allow-origin': PAGE,
      'access-control-allow-headers': 'authorization',
      'access-control-expose-headers': 'www-authenticate, retry-after, date',
    }
    if (request.method === 'OPTIONS') return new Response(null, { headers })
    const token = request.headers.get('authorization')?.replace('Bearer ', '') ?? ''
    const { payload } = await jwtVerify(token, keys, { issuer, audience: api.url }).catch(() => ({
      payload: undefined,
    }))
    if (payload && valid.has(payload.jti)) return Response.json({ sub: payload.sub }, { headers })
    const refused = { ...headers, 'www-authenticate': 'Bearer error="invalid_token"' }
    return new Response(null, { status: 401, headers: refused })
  }, API_PORT)

  const provider = await createProvider(issuer, {
    client: {
      client_id: 'YOUR_CLIENT_ID',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [`${PAGE}/callback`],
    },
    scope: 'openid profile offline_access',
    lifetime: 3_600,
    features: {
      // Its pages, on which any user signs in.
      devInteractions: { enabled: true },
      // Without an audience, Auth0's token is for its own user information only.
      resourceIndicators: {
        enabled: true,
        defaultResource: ({ oidc }) => (oidc.params?.audience as string | undefined) ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience) => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    more: {
      extraParams: ['audience'],
      clientBasedCORS: () => true,
      interactions: {},
    },
  })
  provider.on('access_token.issued', ({ jti }) => valid.add(jti))
  tenant.on('request', provider.callback())

  return {
    replace: { 'https://tenant.eu.auth0.com/': issuer, 'https://api.example.com': api.url },
    expire: () => valid.clear(),
    async close() {
      tenant.closeAllConnections()
      await Promise.all([api.close(), new Promise((resolve) => tenant.close(resolve))])
    },
  }
}
