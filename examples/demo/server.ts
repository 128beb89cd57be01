import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createFaults, type Faults } from './faults.ts'
import { listen } from './listen.ts'
import { createProvider } from './provider.ts'

/** The only registered client: a public one, without a secret, like any app on a user's device. */
export const CLIENT_ID = 'demo'
export const REDIRECT_URI = 'http://127.0.0.1/signed-in'

/** The server counts whole seconds, and the first may be almost full. Without this, a token might live for half its time. */
const TOLERANCE = 1

export interface TokenServerOptions {
  /** Failures in front of the token endpoint. Default: none. */
  readonly faults?: Faults
  /** Lifetime of an access token in seconds. Default: 2. */
  readonly lifetime?: number
}

/**
 * A real OAuth 2.0 server: oidc-provider, with refresh tokens that work once. If one is presented a second time, the server
 * ends the session, because the token may have been stolen (RFC 9700 §4.14.2).
 */
export async function startTokenServer({ faults = createFaults(), lifetime = 2 }: TokenServerOptions = {}) {
  let handler: RequestListener = (_request, response) => void response.writeHead(503).end()
  const listener = await listen((request, response) => handler(request, response))
  const provider = await createProvider(listener.url, {
    client: {
      client_id: CLIENT_ID,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [REDIRECT_URI],
    },
    scope: 'openid',
    lifetime,
    more: { clockTolerance: TOLERANCE },
  })
  const { AccessToken, RefreshToken } = provider
  const respond = provider.callback()

  /** A real server would ask for a password here. This one accepts any user name. */
  async function signIn(request: IncomingMessage, response: ServerResponse) {
    const { params } = await provider.interactionDetails(request, response)
    const accountId = String(params.login_hint)
    await provider.interactionFinished(request, response, { login: { accountId }, consent: {} })
  }

  handler = faults.inFrontOf('/token', (request, response) => {
    void (request.url?.startsWith('/sign-in/') ? signIn : respond)(request, response)
  })

  type Issued = { token: InstanceType<typeof AccessToken>; expiresAt: number; revoked: boolean }
  const issued: Issued[] = []
  let reuseDetections = 0
  provider.on('access_token.saved', (token) => {
    const expiresAt = (Math.floor(Date.now() / 1_000) + lifetime + TOLERANCE) * 1_000
    issued.push({ token, expiresAt, revoked: false })
  })
  provider.on('grant.error', (_context, error) => {
    if (error.error_detail === 'refresh token already used') reuseDetections++
  })

  return {
    ...listener,

    /** How often a used refresh token was presented again. */
    get reuseDetections() {
      return reuseDetections
    },

    /** How many access tokens have expired without being revoked. */
    get expiries() {
      return issued.filter(({ expiresAt, revoked }) => !revoked && Date.now() >= expiresAt).length
    },

    get revocations() {
      return issued.filter(({ revoked }) => revoked).length
    },

    /** Whether an access token is valid: the check of the API. */
    async accepts(accessToken: string | undefined) {
      return accessToken !== undefined && (await AccessToken.find(accessToken)) !== undefined
    },

    /** Resolves when the next access token is issued. */
    nextToken: () => new Promise<void>((resolve) => provider.once('access_token.saved', () => resolve())),

    /** Revokes the newest access token; the session continues. */
    async revokeAccessToken() {
      const last = issued.at(-1)
      if (!last) return
      last.revoked = true
      await last.token.destroy()
    },

    /** Revokes every token of the session, like an administrator ending it. */
    async endSession() {
      const grantId = issued.at(-1)?.token.grantId
      if (grantId === undefined) return
      await Promise.all([RefreshToken.revokeByGrantId(grantId), AccessToken.revokeByGrantId(grantId)])
    },
  }
}

export type TokenServer = Awaited<ReturnType<typeof startTokenServer>>
