import { fromBase64 } from '../environment/base64url.ts'
import type { WebCryptoKey } from '../environment/global-types.ts'

/** The least length of a secret, in bytes. */
const LEAST = 32
/** The most keys of a ring. */
const MOST = 100
const ID = /^[A-Za-z0-9._-]{1,64}$/
/** JavaScript lists such names first and in their own order, whatever order they were written in. */
const SORTED = /^\d+$/

/**
 * A secret: at least 32 random bytes, as bytes, or in base64 or hex; or an AES-GCM key of 256 bits. `openssl rand -base64 32`
 * makes one.
 */
export type Secret = Uint8Array | string | WebCryptoKey

/** The keys that boxes are sealed with: the first one seals, and each of them opens. Made by `keyRing()`. */
export class KeyRing {
  /** The name of the key that seals. */
  readonly current: string
  readonly #keys: ReadonlyMap<string, () => Promise<WebCryptoKey>>

  constructor(keys: ReadonlyMap<string, () => Promise<WebCryptoKey>>, current: string) {
    this.#keys = keys
    this.current = current
  }

  /** The key of that name; `undefined` if the ring has none. */
  key(id: string): Promise<WebCryptoKey> | undefined {
    return this.#keys.get(id)?.()
  }
}

/**
 * Makes the keys that sessions are sealed with. To change the key, put a new one before the old one: the new one seals, and both
 * open. When each session was written again, or after `pool.reseal()`, remove the old one.
 *
 * @param keys secrets by name. The first one seals. The names are visible in the database
 * @returns the value of the option `keys`
 * @throws TypeError if a name is not 1 to 64 letters, digits, dots, hyphens and underscores, or only digits; or if a secret is
 * too short, or none
 *
 * @example
 * ```ts
 * const keys = keyRing({ '2026-11': process.env.SESSION_KEY, '2026-05': process.env.OLD_SESSION_KEY })
 * ```
 */
export function keyRing(keys: Readonly<Record<string, Secret | undefined>>): KeyRing {
  if (typeof keys !== 'object' || keys === null) throw wrong('the keys must be an object: { name: secret }')
  const entries = Object.entries(keys)
  const [first] = entries
  if (!first) throw wrong('there must be at least one key')
  if (entries.length > MOST) throw wrong(`there must be at most ${MOST} keys`)
  return new KeyRing(new Map(entries.map(([id, secret]) => [id, keyOf(id, secret)])), first[0])
}

/** Each key is derived when it is first needed. */
function keyOf(id: string, secret: unknown): () => Promise<WebCryptoKey> {
  if (!ID.test(id)) throw wrong('names of keys must be 1 to 64 of A-Z a-z 0-9 . _ -')
  if (SORTED.test(id))
    throw wrong(`the name ${id} must not be a number, because JavaScript sorts numbers: write k${id}`)
  if (isCryptoKey(secret)) return cryptoKey(id, secret)
  const bytes = bytesOf(secret)
  if (!bytes) throw wrong(`the secret ${id} must be bytes, a text in base64 or hex, or a CryptoKey`)
  if (bytes.length < LEAST)
    throw wrong(
      `the secret ${id} must have at least ${LEAST} bytes, not ${bytes.length}: openssl rand -base64 32`,
    )
  let key: Promise<WebCryptoKey> | undefined
  return () => {
    key ??= derive(bytes)
    return key
  }
}

function cryptoKey(id: string, key: WebCryptoKey): () => Promise<WebCryptoKey> {
  const { name, length } = key.algorithm as { readonly name: string; readonly length?: number }
  const fits = name === 'AES-GCM' && length === 256
  if (!fits || !key.usages.includes('encrypt') || !key.usages.includes('decrypt'))
    throw wrong(`the CryptoKey ${id} must be an AES-GCM key of 256 bits that may encrypt and decrypt`)
  const found = Promise.resolve(key)
  return () => found
}

const isCryptoKey = (secret: unknown): secret is WebCryptoKey =>
  Object.prototype.toString.call(secret) === '[object CryptoKey]'

function bytesOf(secret: unknown): Uint8Array<ArrayBuffer> | undefined {
  // A copy, because the caller may overwrite its own.
  if (secret instanceof Uint8Array) return Uint8Array.from(secret)
  if (typeof secret !== 'string') return undefined
  const text = secret.trim()
  if (/^(?:[0-9a-f]{2})+$/i.test(text))
    return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
  return fromBase64(text)
}

/** HKDF, so that a secret of any length becomes a key, and one that has other uses becomes another key (RFC 5869). */
async function derive(secret: Uint8Array<ArrayBuffer>): Promise<WebCryptoKey> {
  const { subtle } = crypto
  const material = await subtle.importKey('raw', secret, 'HKDF', false, ['deriveKey'])
  const info = new TextEncoder().encode('authchart/1/seal')
  const how = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  return subtle.deriveKey(how, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

const wrong = (problem: string) => new TypeError(`keyRing: ${problem}.`)
