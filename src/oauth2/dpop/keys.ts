import { StorageError } from '../../core/errors.ts'
import type { JWK, WebCryptoKey, WebCryptoKeyPair } from '../../environment/global-types.ts'
import { sha256 } from '../../environment/sha256.ts'
import { withEntry } from '../../storage/indexed-db.ts'

/** The algorithms of proofs. */
export type DPoPAlgorithm = 'ES256' | 'Ed25519'

/** A key as a store keeps it: a pair of WebCrypto, or a private JWK for stores of text. */
export type DPoPKey = WebCryptoKeyPair | JWK

/** Keeps the key of a session. Each method may answer at once or with a promise. */
export interface KeyStore {
  /** Returns the key that `add` was given, or nothing. */
  get(id: string): DPoPKey | undefined | PromiseLike<DPoPKey | undefined>
  /**
   * Stores a key if there is none yet, in one step: of two tabs that make one at the same time, only one may succeed.
   *
   * @returns `'exists'` if there is one; then it stays as it is
   */
  add(id: string, key: DPoPKey): 'added' | 'exists' | PromiseLike<'added' | 'exists'>
  /**
   * Removes a key. A missing key is not an error.
   *
   * @param key what `get` returned: if another tab has replaced it since, the other one must stay
   */
  remove(id: string, key: DPoPKey): unknown
}

/** A key that is ready to sign. */
export interface SigningKey {
  /** Its thumbprint (RFC 7638). */
  readonly id: string
  readonly algorithm: DPoPAlgorithm
  /** The public key, as the header of a proof holds it. */
  readonly jwk: JWK
  readonly privateKey: WebCryptoKey
  /** What the store has. */
  readonly stored: DPoPKey
}

/** What WebCrypto takes for an algorithm. */
export const PARAMETERS: Readonly<Record<DPoPAlgorithm, EcKeyGenParams & EcdsaParams>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  // The curve and the hash are part of its name.
  Ed25519: { name: 'Ed25519', namedCurve: 'Ed25519', hash: 'SHA-512' },
}

/**
 * Keeps keys in IndexedDB: one database for each, which all tabs and workers of the origin share. The private key stays a
 * WebCrypto key that no script can export.
 */
export const indexedDBKeys = (): KeyStore => ({
  get: (id) => withEntry(id, 'readonly', (store, entry) => store.get(entry)),
  async add(id, key) {
    try {
      await withEntry(id, 'readwrite', (store, entry) => store.add(key, entry))
      return 'added'
    } catch (error) {
      if (error instanceof StorageError && error.reason === 'ConstraintError') return 'exists'
      throw error
    }
  },
  // Both in one transaction, in which no other tab can add a key.
  remove: (id, key) =>
    withEntry(id, 'readwrite', (store, entry) => {
      const request = store.get(entry)
      request.onsuccess = () => isSame(request.result, key) && store.delete(entry)
      return request
    }),
})

/** A pair of keys with what tells it from another one: WebCrypto compares no keys. */
type NamedPair = WebCryptoKeyPair & { readonly name?: string }

const isSame = (one: DPoPKey | undefined, other: DPoPKey): boolean =>
  (one as NamedPair | undefined)?.name === (other as NamedPair).name &&
  (one as JWK | undefined)?.x === (other as JWK).x

/** Keeps keys in memory, for as long as the process runs. Several sessions may share one, so none is removed. */
export const memoryKeys = (): KeyStore => {
  const keys = new Map<string, DPoPKey>()
  return {
    get: (id) => keys.get(id),
    add(id, key) {
      if (keys.has(id)) return 'exists'
      keys.set(id, key)
      return 'added'
    },
    remove() {},
  }
}

/**
 * Gets the key of a store, or makes one. Tabs that do so at the same time get the same key: what counts is what the store has.
 *
 * @param exportable whether the store gets a JWK
 * @throws StorageError if the store has no key that can be used
 */
export async function obtainKey(
  keys: KeyStore,
  id: string,
  algorithm: DPoPAlgorithm,
  exportable: boolean,
): Promise<SigningKey> {
  const found = await keys.get(id)
  if (found) return openKey(found)
  const made = await generateKey(algorithm, exportable)
  if ((await keys.add(id, made)) === 'added') return openKey(made)
  const stored = await keys.get(id)
  // Removed again in the same moment.
  if (!stored) throw new StorageError('', { reason: 'key_removed' })
  return openKey(stored)
}

/** @throws StorageError without WebCrypto */
export async function generateKey(algorithm: DPoPAlgorithm, exportable: boolean): Promise<DPoPKey> {
  if (!globalThis.crypto?.subtle) {
    const message = 'WebCrypto is not available. Serve the page over https.'
    throw new StorageError(message, { reason: 'insecure_context' })
  }
  const pair = await crypto.subtle.generateKey(PARAMETERS[algorithm], exportable, ['sign'])
  const { privateKey, publicKey } = pair as CryptoKeyPair
  if (exportable) return crypto.subtle.exportKey('jwk', privateKey)
  const named: NamedPair = { privateKey, publicKey, name: crypto.randomUUID() }
  return named
}

export async function openKey(key: DPoPKey): Promise<SigningKey> {
  try {
    const isPair = 'privateKey' in key
    const jwk = publicJWK(isPair ? await crypto.subtle.exportKey('jwk', key.publicKey) : key)
    const algorithm: DPoPAlgorithm = jwk.crv === 'P-256' ? 'ES256' : 'Ed25519'
    const privateKey = isPair
      ? key.privateKey
      : await crypto.subtle.importKey('jwk', { ...jwk, d: key.d as string }, PARAMETERS[algorithm], false, [
          'sign',
        ])
    return { id: await sha256(JSON.stringify(jwk)), algorithm, jwk, privateKey, stored: key }
  } catch {
    // The store has something else than the key of a session.
    throw new StorageError('', { reason: 'invalid_key' })
  }
}

/**
 * The members of a public key that a thumbprint is made of, in their order (RFC 7638 §3.2, RFC 8037 §2).
 *
 * @throws TypeError for a key of another kind
 */
function publicJWK({ crv, kty, x, y }: JWK): JWK {
  if (kty === 'EC' && crv === 'P-256' && x && y) return { crv, kty, x, y }
  if (kty === 'OKP' && crv === 'Ed25519' && x) return { crv, kty, x }
  throw new TypeError('Not a key for proofs')
}
