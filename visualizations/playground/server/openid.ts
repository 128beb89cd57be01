/** A real OpenID provider beside the playground, and the check of its tokens for the API. */
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import { startProvider } from '../../../examples/oauth/provider.ts'
import { OPENID_PATH } from '../headers.ts'

/** What the world needs of the provider. */
export interface OpenId {
  readonly issuer: string
  /** Passes a request of the page on to the provider. The page's network is simulated here, so it has its faults, too. */
  relay(request: Request): Promise<Response>
  /** The owner of the token of a request; or else the answer that refuses it. */
  check(request: Request): Promise<{ readonly subject: string; readonly generation: number } | Response>
  expireAccessTokens(): Promise<void>
  killRefreshTokens(): Promise<void>
  close(): Promise<void>
}

/** Headers that belong to one connection, or that would make a request one of another site. */
const OWN_HEADERS = ['host', 'connection', 'content-length', 'cookie', 'origin', 'referer']
/** How old a proof may be, in seconds. */
const PROOF_AGE = 300

/** @param lifetime of an access token, in milliseconds */
export async function startOpenId(lifetime: number): Promise<OpenId> {
  const { url: issuer, provider, close } = await startProvider({ lifetime: Math.ceil(lifetime / 1_000) })
  const { AccessToken, RefreshToken } = provider
  type Token = InstanceType<typeof AccessToken>
  /** The access tokens of each grant, in the order of their issue. */
  const issued = new Map<string | undefined, Token[]>()
  provider.on('access_token.saved', (token) => {
    issued.set(token.grantId, [...(issued.get(token.grantId) ?? []), token])
  })

  return {
    issuer,
    close,
    async relay(request) {
      const { pathname, search } = new URL(request.url)
      const headers = new Headers(request.headers)
      for (const name of OWN_HEADERS) headers.delete(name)
      const { method, signal } = request
      const body = method === 'GET' ? null : await request.arrayBuffer()
      const url = issuer + pathname.slice(OPENID_PATH.length) + search
      const answer = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
      return new Response(await answer.arrayBuffer(), { status: answer.status, headers: headersOf(answer) })
    },
    async check(request) {
      const [, scheme, text = ''] =
        /^(Bearer|DPoP) (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
      const token = await AccessToken.find(text)
      const kind = token?.jkt ? 'DPoP' : 'Bearer'
      if (!token?.isValid || scheme !== kind) return refusal(kind, 'invalid_token')
      if (token.jkt && !(await isProven(request, text, token.jkt))) return refusal(kind, 'invalid_dpop_proof')
      const tokens = issued.get(token.grantId) ?? []
      return { subject: token.accountId, generation: tokens.findIndex(({ jti }) => jti === token.jti) + 1 }
    },
    async expireAccessTokens() {
      for (const token of [...issued.values()].flat()) await token.destroy()
    },
    async killRefreshTokens() {
      for (const grantId of issued.keys()) if (grantId) await RefreshToken.revokeByGrantId(grantId)
    },
  }
}

/** The body is decoded already, and its length another one. */
function headersOf({ headers }: Response): Headers {
  const own = new Headers(headers)
  for (const name of ['connection', 'content-encoding', 'content-length', 'keep-alive', 'transfer-encoding'])
    own.delete(name)
  return own
}

const refusal = (scheme: string, error: string) =>
  Response.json({ error }, { status: 401, headers: { 'www-authenticate': `${scheme} error="${error}"` } })

/** Whether a request has a proof for it, made with the key of its token (RFC 9449 §4.3). */
async function isProven(
  { headers, method, url }: Request,
  token: string,
  thumbprint: string,
): Promise<boolean> {
  const proof = headers.get('dpop') ?? ''
  const { origin, pathname } = new URL(url)
  try {
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      maxTokenAge: PROOF_AGE,
      clockTolerance: PROOF_AGE,
    })
    const { jwk } = protectedHeader
    return (
      jwk !== undefined &&
      (await calculateJwkThumbprint(jwk)) === thumbprint &&
      payload.htm === method &&
      payload.htu === origin + pathname &&
      payload.ath === createHash('sha256').update(token).digest('base64url')
    )
  } catch {
    return false
  }
}
