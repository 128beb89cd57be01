/** A real OpenID provider for the examples: oidc-provider, with a page on which any user name signs in. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { listen } from '../demo/listen.ts'
import { createProvider } from '../demo/provider.ts'

/** A public client, for the page and for the tool. */
export const CLIENT_ID = 'example'
/** A page of this machine, on any port. */
const PAGES = ['http://127.0.0.1/', 'http://localhost/']

export interface ExampleProviderOptions {
  /** Lifetime of an access token in seconds. Default: 20, short enough to watch a refresh. */
  readonly lifetime?: number
}

export async function startProvider({ lifetime = 20 }: ExampleProviderOptions = {}) {
  let handler: RequestListener = (_request, response) => void response.writeHead(503).end()
  const listener = await listen((request, response) => handler(request, response))
  const provider = await createProvider(listener.url, {
    client: {
      client_id: CLIENT_ID,
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: PAGES,
      post_logout_redirect_uris: PAGES,
    },
    scope: 'openid offline_access',
    lifetime,
    features: {
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    },
    more: { clientBasedCORS: () => true },
  })
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
  return { ...listener, provider }
}

const signInPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui; max-width: 20rem; margin: 4rem auto; padding: 0 1rem }
  button, input { font: inherit; width: 100%; padding: .5rem; box-sizing: border-box }
</style>
<h1>The provider</h1>
<form method="post">
  <p><label>User name <input name="username" value="ada" required></label></p>
  <button>Sign in</button>
</form>`
