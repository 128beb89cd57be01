import { describe, expect, it } from 'vitest'
import { dpopProofs } from '../../src/oauth2/index.ts'
import type { Front } from '../../src/testing/conformance/harness.ts'
import type { TransportFactory } from '../../src/testing/index.ts'
import { type Checked, startDPoPFront } from '../support/dpop-front.ts'
import { conform, factoryOf } from './conform.ts'
import type { Transport } from './transports.ts'

/**
 * Runs the suite for a transport at a server that demands a proof with a nonce for each request, and refuses a bound token
 * without one.
 *
 * @param circumstance what is special about this run, for its title
 */
export function conformWithDPoP(
  transport: Transport,
  circumstance = ' with DPoP',
  factory: TransportFactory = factoryOf(transport),
) {
  /** What the server found, over all scenarios. */
  const checked: Checked[] = []

  const openFront = async (target: string): Promise<Front> => {
    const proofs = dpopProofs()
    const front = await startDPoPFront(target)
    // The nonce of the API is known from the start: a request that has to ask for it first may find the token replaced, and
    // scenarios count what is sent with each token.
    const about = { method: 'GET', url: `${front.url}/api/`, accessToken: '', keyId: undefined }
    const header = (name: string) => (name === 'dpop-nonce' ? front.apiNonce() : null)
    proofs.heed(await proofs.prove(about), { status: 200, header })
    return {
      url: front.url,
      fetch: proofs.fetch,
      session: { proof: proofs },
      async close() {
        checked.push(...front.checked)
        await front.close()
      },
    }
  }

  conform(transport, circumstance, factory, openFront)

  describe(`${transport.name}${circumstance}`, () => {
    it('sends each request of these scenarios with a proof that is right but for a missing nonce', () => {
      const count = (verdict: string) => checked.filter((one) => one.verdict === verdict).length
      // Some scenarios begin with bearer tokens, which the test issued itself. A bound token without a proof has another verdict.
      expect([...new Set(checked.map(({ verdict }) => verdict))].sort()).toEqual(['bearer', 'nonce', 'ok'])
      expect(count('ok')).toBeGreaterThan(500)
    })
  })
}
