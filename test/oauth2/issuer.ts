import { onTestFinished } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { type AuthOptions, createAuth } from '../../src/index.ts'
import {
  createOAuth,
  memoryTransactions,
  type OAuthOptions,
  type SignInRequest,
} from '../../src/oauth2/index.ts'

type Fields = Record<string, unknown>

/** What an issuer does wrong. */
export interface Faults {
  /** Changes the metadata. */
  readonly metadata?: Fields
  /** Changes the claims of the ID token; `undefined` removes one. */
  readonly claims?: (correct: Fields) => Fields
  readonly header?: Fields
  /** Changes the token response; `undefined` removes a field. */
  readonly response?: (correct: Fields) => Fields
  /** Status and body of the metadata, instead of the metadata. */
  readonly discovery?: readonly [status: number, body: string]
  /** Serves the metadata at the address of RFC 8414 only. Status and body of others. */
  readonly oauthOnly?: readonly [status: number, body: string]
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/**
 * An issuer that makes mistakes, over HTTP. Its ID tokens have no valid signature: a client that gets them directly from the
 * token endpoint need not check it.
 */
export async function startIssuer() {
  const state: { faults: Faults } = { faults: {} }
  const requests: { readonly path: string; readonly body: URLSearchParams }[] = []
  const nonces = new Map<string, string>()
  let refreshes = 0

  const { url, close } = await listen(async (request, response) => {
    const { faults } = state
    const path = request.url ?? ''
    let text = ''
    for await (const chunk of request) text += chunk
    const body = new URLSearchParams(text)
    requests.push({ path, body })
    const answer = (status: number, value: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(typeof value === 'string' ? value : JSON.stringify(value))
    if (path.includes('.well-known')) {
      if (faults.discovery) return void answer(...faults.discovery)
      if (faults.oauthOnly && path !== '/.well-known/oauth-authorization-server') {
        const [status, page] = faults.oauthOnly
        const headers = { 'content-type': 'text/html', ...(status === 302 && { location: '/sign-in' }) }
        return void response.writeHead(status, headers).end(page)
      }
      return void answer(200, { ...metadata(), ...faults.metadata })
    }
    if (path !== '/token') return void answer(200, {})
    const now = Math.floor(Date.now() / 1_000)
    const isRefresh = body.get('grant_type') === 'refresh_token'
    if (isRefresh) refreshes++
    const claims = {
      iss: url,
      sub: 'ada',
      aud: 'app',
      iat: now,
      exp: now + 3_600,
      ...(!isRefresh && { nonce: nonces.get(body.get('code') ?? '') }),
    }
    const header = { alg: 'ES256', ...faults.header }
    const idToken = `${base64(header)}.${base64(faults.claims?.(claims) ?? claims)}.${base64('signature')}`
    const correct = {
      access_token: `access-${isRefresh ? refreshes : 'first'}`,
      refresh_token: `refresh-${refreshes}`,
      token_type: 'Bearer',
      expires_in: 3_600,
      id_token: idToken,
    }
    answer(200, faults.response?.(correct) ?? correct)
  })
  onTestFinished(close)
  const metadata = () => ({
    issuer: url,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: ['ES256'],
  })

  return {
    url,
    requests,
    tokenRequests: () => requests.filter(({ path }) => path === '/token'),
    misbehave: (faults: Faults) => {
      state.faults = faults
    },
    /** The answer to a sign-in, as the server would send it to the redirect URI. */
    answer(start: URL, changes: Readonly<Record<string, string | undefined>> = {}): URL {
      nonces.set('the-code', start.searchParams.get('nonce') ?? '')
      const answer = new URL(start.searchParams.get('redirect_uri') ?? '')
      const fields = { code: 'the-code', state: start.searchParams.get('state') ?? '', iss: url, ...changes }
      for (const [name, value] of Object.entries(fields))
        if (value !== undefined) answer.searchParams.set(name, value)
      return answer
    },
  }
}

export type TestIssuer = Awaited<ReturnType<typeof startIssuer>>

/** A session of an issuer. */
export async function connect(
  issuer: TestIssuer,
  options: Partial<OAuthOptions> = {},
  more: Partial<AuthOptions<SignInRequest>> = {},
) {
  const oauth = createOAuth({
    issuer: issuer.url,
    clientId: 'app',
    redirectUri: 'https://app.example.com/callback',
    transactions: memoryTransactions(),
    ...options,
  })
  const auth = createAuth({ ...oauth.ports, ...more })
  onTestFinished(() => auth.dispose())
  return { oauth, auth }
}
