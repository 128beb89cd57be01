import { onTestFinished } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import type { TestProvider } from './provider.ts'

const json = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString())
const hash = async (text: string) =>
  Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('base64url')
const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * An API that accepts tokens of the provider with a proof of the key that the provider bound them to, and a nonce. For `/mfa` it asks
 * for a stronger sign-in.
 */
export async function startApi(provider: TestProvider) {
  const answered: string[] = []
  const seen = new Set<string>()
  let nonce = 'n0'
  const api = await listen(async (request, response) => {
    const [scheme, token = ''] = (request.headers.authorization ?? '').split(' ')
    const verify = async () => {
      const found =
        (await provider.introspect(token)) ?? (await provider.provider.ClientCredentials.find(token))
      if (scheme !== 'DPoP' || !found) return 'invalid_token'
      const [head = '', body = '', signature = ''] = String(request.headers.dpop).split('.')
      const { jwk } = json(head)
      const { jti, htm, htu, ath, nonce: given } = json(body)
      const key = await crypto.subtle.importKey('jwk', jwk, ES256, false, ['verify'])
      const bytes = Buffer.from(signature, 'base64url')
      const isSigned = await crypto.subtle.verify(ES256, key, bytes, Buffer.from(`${head}.${body}`))
      const thumbprint = await hash(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }))
      if (thumbprint !== found.jkt) return 'invalid_token'
      const isRight = htm === request.method && htu === api.url + request.url && ath === (await hash(token))
      if (!isSigned || !isRight || seen.has(jti)) return 'invalid_dpop_proof'
      seen.add(jti)
      if (given !== nonce) return 'use_dpop_nonce'
      const isWeak = request.url === '/mfa' && Object(found.extra).acr !== 'mfa'
      return isWeak ? 'insufficient_user_authentication' : undefined
    }
    const error = await verify()
    answered.push(`${request.url} ${error ?? 'ok'}`)
    response.setHeader('dpop-nonce', nonce)
    if (error) response.setHeader('www-authenticate', `DPoP error="${error}", acr_values="mfa"`)
    response.writeHead(error ? 401 : 200).end()
  })
  onTestFinished(api.close)
  const changeNonce = () => {
    nonce = `n${Number(nonce.slice(1)) + 1}`
  }
  return { url: api.url, answered, changeNonce }
}
