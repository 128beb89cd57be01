import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { ClientMetadata, Configuration, JWK } from 'oidc-provider'
import { onTestFinished } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { withoutNotices } from '../../examples/demo/without-notices.ts'

/** A public client, like an app in a browser. Its redirect URI may have any port, as RFC 8252 §7.3 asks. */
export const APP = 'app'
/** Another public client, whose answers come to the same page. */
export const OTHER_APP = 'other-app'
/** A confidential client that signs users in, like a backend for frontends. */
export const BACKEND = 'backend'
/** A confidential client, like a server. */
export const MACHINE = 'machine'
export const SECRET = 'a-secret-of-the-tests'
export const API = 'https://api.example.com/'
export const CALLBACK = 'http://127.0.0.1/callback'

export interface ProviderOptions {
  /** Lifetime of access tokens in seconds. Default: 3,600. */
  readonly lifetime?: number
  readonly requiresPar?: boolean
  /** Clients register themselves (RFC 7591). */
  readonly registers?: boolean
  /** Client ID metadata documents, by their URL: clients that serve one need no registration. */
  readonly documents?: Readonly<Record<string, object>>
  /** Binds all tokens to a key, and demands a nonce in each proof. */
  readonly requiresDPoP?: boolean
  /** Sends `Cross-Origin-Opener-Policy: same-origin`, as providers do that isolate their pages. */
  readonly coop?: boolean
  /** Where logout tokens go. */
  readonly backchannelLogoutUri?: string
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUri?: string
  /** When users of sign-ins without `max_age` authenticated, in seconds since the Unix epoch. */
  readonly signedInAt?: number
  /** A user takes their time: the sign-in page answers when this resolves. */
  readonly untilSignIn?: () => Promise<unknown>
}

/** A real OpenID provider over HTTP. It signs in the user that `login_hint` names, or else `ada`. */
export async function startProvider(options: ProviderOptions = {}) {
  let handler: RequestListener = (_request, response) => void response.writeHead(503).end()
  const requests: string[] = []
  const listener = await listen((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?', 1)[0]}`)
    if (options.coop) response.setHeader('cross-origin-opener-policy', 'same-origin')
    handler(request, response)
  })
  const provider = await createProvider(listener.url, options)
  let running = provider

  async function signIn(request: IncomingMessage, response: ServerResponse) {
    await options.untilSignIn?.()
    const { params, prompt } = await running.interactionDetails(request, response)
    if (params.login_hint === 'nobody')
      return running.interactionFinished(request, response, { error: 'access_denied' })
    const accountId = String(params.login_hint ?? 'ada')
    const { signedInAt: ts } = options
    const when = ts === undefined || params.max_age !== undefined ? {} : { ts }
    await running.interactionFinished(request, response, {
      [prompt.name]: {},
      login: { accountId, acr: params.acr_values as string, ...when },
      consent: {},
    })
  }
  /** Codes that arrived at the token endpoint, with how often. */
  const codes = new Map<string, number>()
  const problems: string[] = []
  provider.use(async (context, next) => {
    await next()
    const { grant_type, code } = context.oidc?.params ?? {}
    if (grant_type === 'authorization_code' && context.method === 'POST')
      codes.set(String(code), (codes.get(String(code)) ?? 0) + 1)
  })
  handler = (request, response) => {
    const isSignIn = request.url?.startsWith('/sign-in/')
    void (isSignIn ? signIn(request, response) : running.callback()(request, response))
  }
  const events = provider as unknown as NodeJS.EventEmitter
  for (const event of ['grant.error', 'authorization.error', 'pushed_authorization_request.error'])
    events.on(event, (_context: unknown, error: { error: string; error_detail?: string }) =>
      problems.push(`${error.error}: ${error.error_detail ?? ''}`),
    )
  onTestFinished(listener.close)

  return {
    ...listener,
    provider,
    requests,
    codes,
    problems,
    /** Starts anew, with another key for its signatures and without sessions. */
    async restart() {
      running = await createProvider(listener.url, options)
    },
    /** Completes a device sign-in, as if the user had entered the code. */
    async approve(userCode: string, accountId = 'ada', resource?: string) {
      const found = await provider.DeviceCode.findByUserCode(userCode.replaceAll('-', ''))
      if (!found) throw new Error('The code is unknown.')
      const grant = new provider.Grant({ clientId: APP, accountId })
      grant.addOIDCScope('openid offline_access')
      if (resource !== undefined) grant.addResourceScope(resource, 'read write')
      Object.assign(found, {
        accountId,
        grantId: await grant.save(),
        authTime: Math.floor(Date.now() / 1_000),
        claims: {},
        scope: 'openid',
        ...(resource !== undefined && { resource }),
      })
      await (found as { save(lifetime: number): Promise<string> }).save(600)
    },
    /** Whether an access token is valid, and for what. */
    introspect: (accessToken: string) => provider.AccessToken.find(accessToken),
  }
}

export type TestProvider = Awaited<ReturnType<typeof startProvider>>

async function createProvider(url: string, options: ProviderOptions) {
  const {
    lifetime = 3_600,
    requiresPar = false,
    registers = false,
    documents,
    requiresDPoP = false,
    backchannelLogoutUri,
    redirectUris = [CALLBACK],
  } = options
  const { postLogoutRedirectUri = 'http://127.0.0.1/signed-out' } = options
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const hour = 3_600
  const exchanged = new WeakMap<object, Record<string, unknown>>()
  const configuration: Configuration = {
    clients: [
      ...[APP, OTHER_APP].map(
        (client_id): ClientMetadata => ({
          client_id,
          application_type: redirectUris[0] === CALLBACK ? 'native' : 'web',
          token_endpoint_auth_method: 'none',
          grant_types: [
            'authorization_code',
            'refresh_token',
            'urn:ietf:params:oauth:grant-type:device_code',
          ],
          redirect_uris: [...redirectUris],
          post_logout_redirect_uris: [postLogoutRedirectUri],
          id_token_signed_response_alg: 'ES256',
          dpop_bound_access_tokens: requiresDPoP,
          ...(backchannelLogoutUri && {
            backchannel_logout_uri: backchannelLogoutUri,
            backchannel_logout_session_required: true,
          }),
        }),
      ),
      {
        client_id: BACKEND,
        client_secret: SECRET,
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [CALLBACK],
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: MACHINE,
        client_secret: SECRET,
        grant_types: ['client_credentials', TOKEN_EXCHANGE],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
        dpop_bound_access_tokens: requiresDPoP,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' } as JWK] },
    cookies: { keys: [randomUUID()] },
    clientBasedCORS: () => true,
    scopes: ['openid', 'offline_access', 'read', 'write'],
    acrValues: ['mfa'],
    features: {
      devInteractions: { enabled: false },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: requiresPar,
      },
      dPoP: {
        enabled: requiresDPoP,
        nonceSecret: randomBytes(32),
        requireNonce: () => requiresDPoP,
      },
      deviceFlow: { enabled: true },
      registration: { enabled: registers },
      clientIdMetadataDocument: { enabled: documents !== undefined, ack: 'draft-02' },
      clientCredentials: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = `<!doctype html>${form}<script>document.forms[0].append(Object.assign(document.createElement('input'), { name: 'logout', value: 'yes' })); document.forms[0].submit()</script>`
        },
      },
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'read write',
          audience: resource,
          accessTokenTTL: lifetime,
          accessTokenFormat: 'opaque',
        }),
      },
    },
    interactions: { url: (_context, { uid }) => `/sign-in/${uid}`, policy: await policyWithStepUp() },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    /** Grants consent without asking the user. */
    async loadExistingGrant({ oidc: { client, session, provider, params } }) {
      if (!client || !session?.accountId) return undefined
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope('openid offline_access read write')
      for (const resource of [params?.resource ?? []].flat())
        grant.addResourceScope(String(resource), 'read write')
      await grant.save()
      return grant
    },
    extraTokenClaims: (context) => {
      const { AuthorizationCode, RefreshToken } = context.oidc.entities
      const { acr, authTime } = AuthorizationCode ?? RefreshToken ?? {}
      return exchanged.get(context) ?? { acr, auth_time: authTime }
    },
    issueRefreshToken: (_context, client) => client.clientId !== MACHINE,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    // It refuses addresses of this machine otherwise.
    fetch: (url, init) => {
      const document = documents?.[String(url)]
      if (document) return Promise.resolve(Response.json(document))
      const { dispatcher: _, ...rest } = init as RequestInit & { dispatcher?: unknown }
      return fetch(url, rest)
    },
    ttl: {
      AccessToken: lifetime,
      ClientCredentials: lifetime,
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
    const provider = new Provider(url, configuration)
    provider.registerGrantType(
      TOKEN_EXCHANGE,
      async (context) => {
        const { client, params } = context.oidc
        const subject = await provider.AccessToken.find(String(params?.subject_token))
        if (!client || !subject?.isValid) {
          context.status = 400
          context.body = { error: 'invalid_grant' }
          return
        }
        const token = new provider.ClientCredentials({ client, scope: subject.scope ?? '' })
        exchanged.set(context, { audience: params?.audience, subject: subject.accountId })
        context.body = {
          access_token: await token.save(),
          issued_token_type: params?.subject_token_type,
          token_type: 'Bearer',
          expires_in: token.expiration,
        }
      },
      ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'scope'],
    )
    return provider
  })
}

/** A server of RFC 9470 asks the user again if the session has not what `acr_values` asks for. */
async function policyWithStepUp() {
  const { interactionPolicy } = await withoutNotices(() => import('oidc-provider'))
  const policy = interactionPolicy.base()
  const isMissing = new interactionPolicy.Check('acr_missing', 'The session is too weak', ({ oidc }) => {
    const asked = oidc.params?.acr_values
    return asked !== undefined && oidc.session?.acr !== asked
      ? interactionPolicy.Check.REQUEST_PROMPT
      : interactionPolicy.Check.NO_NEED_TO_PROMPT
  })
  policy.get('login')?.checks.add(isMissing)
  return policy
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The part of a browser that a sign-in needs: it follows redirects and stores cookies. Returns the address it ends at. */
export function createBrowser() {
  const cookies = new Map<string, string>()

  /** Sends one request with the cookies of this browser. */
  async function send(url: URL, init: RequestInit = {}): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }

  async function browse(start: URL, end = CALLBACK): Promise<URL> {
    let url = start
    for (let hops = 0; hops < 10; hops++) {
      const response = await send(url)
      const location = response.headers.get('location')
      if (!location)
        throw new Error(`The sign-in stopped at ${url.pathname}: ${response.status} ${await response.text()}`)
      url = new URL(location, url)
      if (url.href.startsWith(end)) return url
    }
    throw new Error('The sign-in goes in circles')
  }

  /** Confirms the page on which the server asks whether to sign out. */
  async function signOut(url: URL): Promise<void> {
    const page = await (await send(url)).text()
    const [, action = ''] = /action="([^"]+)"/.exec(page) ?? []
    const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(page) ?? []
    await send(new URL(action, url), { method: 'POST', body: new URLSearchParams({ xsrf, logout: 'yes' }) })
  }

  return Object.assign(browse, { signOut })
}
