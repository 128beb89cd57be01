/** A real OpenID provider for the examples: oidc-provider, with a page on which any user name signs in. */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Configuration, JWK } from 'oidc-provider'
import { listen } from '../demo/listen.ts'
import { withoutNotices } from '../demo/without-notices.ts'

/** A public client, for the page and for the tool. */
export const CLIENT_ID = 'example'
/** Lifetime of an access token in seconds: short enough to watch a refresh. */
const LIFETIME = 20

export async function startProvider() {
  let handler: RequestListener = (_request, response) => void response.writeHead(503).end()
  const listener = await listen((request, response) => handler(request, response))
  const provider = await createProvider(listener.url)
  const respond = provider.callback()

  async function signIn(request: IncomingMessage, response: ServerResponse) {
    if (request.method !== 'POST') return void response.setHeader('content-type', 'text/html').end(signInPage)
    let text = ''
    for await (const chunk of request) text += chunk
    const accountId = new URLSearchParams(text).get('username') || 'ada'
    await provider.interactionFinished(request, response, { login: { accountId }, consent: {} })
  }
  handler = (request, response) => {
    const isSignIn = request.url?.startsWith('/sign-in/')
    Promise.resolve((isSignIn ? signIn : respond)(request, response)).catch(() => {
      // The sign-in is unknown: its form was sent twice, or the cookie is missing.
      if (!response.headersSent) response.writeHead(400)
      response.end('Start the sign-in again.')
    })
  }
  return listener
}

const signInPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>body { font: 16px/1.5 system-ui; max-width: 20rem; margin: 4rem auto } button, input { font: inherit }</style>
<h1>The provider</h1>
<form method="post">
  <p><label>User name <input name="username" value="ada" required></label></p>
  <button>Sign in</button>
</form>`

async function createProvider(issuer: string) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const hour = 3_600
  const configuration: Configuration = {
    clients: [
      {
        client_id: CLIENT_ID,
        // A page on this machine, at any port (RFC 8252 §7.3).
        application_type: 'native',
        redirect_uris: ['http://127.0.0.1/'],
        post_logout_redirect_uris: ['http://127.0.0.1/'],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' }) as JWK] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clientBasedCORS: () => true,
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
    },
    interactions: { url: (_context, { uid }) => `/sign-in/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    /** Grants consent without asking the user. */
    async loadExistingGrant({ oidc: { client, session, provider } }) {
      if (!client || !session?.accountId) return undefined
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid offline_access')
      await grant.save()
      return grant
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: LIFETIME,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: hour,
      IdToken: hour,
      Interaction: hour,
      RefreshToken: hour,
      Session: hour,
    },
  }
  return withoutNotices(async () => {
    const { Provider } = await import('oidc-provider')
    return new Provider(issuer, configuration)
  })
}
