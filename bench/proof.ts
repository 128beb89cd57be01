import { createAuth } from '../src/index.ts'
import { dpopProofs } from '../src/oauth2/index.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { comparePerCall } from './statistics.ts'

const ORIGIN = 'https://api.example.com'

export interface ProofCost {
  readonly algorithm: string
  /** Nanoseconds of one request with a bearer token. */
  readonly bearer: number
  /** The same with a proof. */
  readonly proven: number
  readonly added: number
}

/** Measures what a proof of possession adds to one request. Nearly all of it is the signature. */
export async function measureProofs(rounds = 60, calls = 20): Promise<ProofCost[]> {
  const fetch: typeof globalThis.fetch = () => Promise.resolve(new Response(null))
  const open = (token_type: string, algorithm: 'ES256' | 'Ed25519') =>
    createAuth({
      refresh: () => Promise.reject(new Error('No refresh is expected in this bench')),
      initialTokens: { access_token: 'at', expires_in: 3600, token_type },
      proof: dpopProofs({ algorithm }),
    })
  const repeat = (api: typeof globalThis.fetch) => async () => {
    for (let i = 0; i < calls; i++) await api(`${ORIGIN}/me`, { headers: { accept: 'application/json' } })
  }
  const results: ProofCost[] = []
  for (const algorithm of ['ES256', 'Ed25519'] as const) {
    const sessions = [open('Bearer', algorithm), open('DPoP', algorithm)] as const
    const [bearer, proven] = sessions.map((auth) =>
      repeat(createAuthFetch(auth, { fetch, origins: [ORIGIN] })),
    )
    if (!bearer || !proven) continue
    const { bare, other, added } = await comparePerCall(rounds, calls, bearer, proven)
    results.push({ algorithm, bearer: bare, proven: other, added })
    for (const auth of sessions) auth.dispose()
  }
  return results
}
