import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose'
import { hash } from './hash.ts'

/** How a call is refused: the fields of its status. */
export type Refusal = { readonly 'www-authenticate': string; readonly 'dpop-nonce': string }

/** The check of a server of remote procedures that takes tokens with a proof only (RFC 9449 §4.3), and demands a nonce. */
export function createProofCheck() {
  const seen = new Set<string>()
  /** What was found for each call: `ok`, or what was wrong. */
  const verdicts: string[] = []
  let nonce = 'nonce-0'
  let key: string | undefined

  async function verdictOf(header: (name: string) => string | undefined, url: string): Promise<string> {
    const token = /^DPoP (.+)$/.exec(header('authorization') ?? '')?.[1]
    if (token === undefined) return 'scheme'
    const proof = header('dpop')
    if (proof === undefined) return 'no proof'
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt' })
    if (payload.htm !== 'POST') return 'htm'
    if (payload.htu !== url) return `htu ${payload.htu}`
    if (payload.ath !== (await hash(token))) return 'ath'
    if (seen.has(String(payload.jti))) return 'jti'
    seen.add(String(payload.jti))
    // The first call shows the key: the token server of the test has bound all tokens to it.
    key ??= await calculateJwkThumbprint(protectedHeader.jwk ?? {})
    if (key !== (await calculateJwkThumbprint(protectedHeader.jwk ?? {}))) return 'key'
    if (payload.nonce !== nonce) return 'nonce'
    return token.startsWith('at-1-1-') ? 'token' : 'ok'
  }

  return {
    verdicts,
    /** @returns the new one */
    changeNonce() {
      nonce += '+'
      return nonce
    },
    /** @returns how to refuse the call; nothing if it is allowed */
    async refusalOf(header: (name: string) => string | undefined, url: string): Promise<Refusal | undefined> {
      const verdict = await verdictOf(header, url).catch((error) => String(error.code))
      verdicts.push(verdict)
      if (verdict === 'ok') return undefined
      const error =
        verdict === 'nonce' ? 'use_dpop_nonce' : verdict === 'token' ? 'invalid_token' : 'invalid_dpop_proof'
      return { 'www-authenticate': `DPoP error="${error}"`, 'dpop-nonce': nonce }
    },
  }
}
