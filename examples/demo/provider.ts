/** An oidc-provider whose refresh tokens work once. Any user may sign in at `/sign-in/…`, and consents. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import type { ClientMetadata, Configuration, JWK } from 'oidc-provider'
import { withoutNotices } from './without-notices.ts'

const HOUR = 3_600

export interface ProviderOptions {
  /** The only client. It is public: without a secret, like any app on a user's device. */
  readonly client: Pick<
    ClientMetadata,
    'client_id' | 'redirect_uris' | 'post_logout_redirect_uris' | 'grant_types'
  >
  readonly scope: string
  /** Lifetime of an access token in seconds. */
  readonly lifetime: number
  readonly features?: Configuration['features']
  /** More of the configuration. */
  readonly more?: Configuration
}

export function createProvider(issuer: string, { client, scope, lifetime, features, more }: ProviderOptions) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const configuration: Configuration = {
    clients: [
      {
        // Its redirect URI may have any port of this machine (RFC 8252 §7.3).
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        id_token_signed_response_alg: 'ES256',
        ...client,
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' }) as JWK] },
    cookies: { keys: [randomUUID()] },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      ...features,
    },
    interactions: { url: (_context, { uid }) => `/sign-in/${uid}` },
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    /** Grants consent without asking the user. */
    async loadExistingGrant({ oidc: { client, session, provider } }) {
      if (!client || !session?.accountId) return undefined
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
      grant.addOIDCScope(scope)
      await grant.save()
      return grant
    },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    ttl: {
      AccessToken: lifetime,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: HOUR,
      IdToken: HOUR,
      Interaction: HOUR,
      RefreshToken: HOUR,
      Session: HOUR,
    },
    ...more,
  }
  return withoutNotices(async () => {
    const { Provider } = await import('oidc-provider')
    return new Provider(issuer, configuration)
  })
}
