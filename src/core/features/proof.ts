import { messageOf } from '../messages.ts'
import type { ProofPort } from '../proof-port.ts'
import { type AttachProof, ProvenRequest } from '../requests/proven-request.ts'
import { BoundedProofKey } from '../session/proof-key.ts'
import { ATTACH, type ProofFeature } from './feature.ts'

/**
 * Makes a proof of possession of your own an option of `createAuth`.
 *
 * @param port makes the headers of each sending and reads the answers; see `ProofPort`
 * @returns the value of the option `proof`; its methods are those of `port`
 * @throws TypeError if `prove`, `heed` or `keyId` is missing
 *
 * @example
 * ```ts
 * const proof = defineProof({
 *   prove: (request) => device.sign(request),
 *   heed: () => undefined,
 *   keyId: () => device.thumbprint(),
 * })
 * const auth = createAuth({ refresh, proof })
 * ```
 *
 * @see RFC 9449
 */
export function defineProof(port: ProofPort): ProofFeature {
  for (const name of ['prove', 'heed', 'keyId'] as const)
    if (typeof port?.[name] !== 'function')
      throw new TypeError(messageOf('no_method', { detail: `defineProof: ${name}` }))
  const attach: AttachProof = (kernel, vault, gate) => {
    kernel.proofKey = new BoundedProofKey(kernel, vault, port)
    gate.prove = (request) => new ProvenRequest({ kernel, port, vault, gate }, request)
  }
  return {
    prove: (request) => port.prove(request),
    heed: (proof, answer) => port.heed(proof, answer),
    keyId: (expected) => port.keyId(expected),
    forget: (keyId, isElsewhere) => port.forget?.(keyId, isElsewhere),
    [ATTACH]: attach,
  }
}
