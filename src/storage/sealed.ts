import { StorageError } from '../core/errors.ts'
import type { SessionRecord } from '../core/ports.ts'

/** A record that is encrypted, with the key to it: either both are there, or neither. */
export interface SealedRecord {
  readonly version: 1
  readonly key: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly data: ArrayBuffer
}

const ALGORITHM = 'AES-GCM'

/**
 * Encrypts a record with a key made for it alone. With a key for each write there is no key that two tabs could both
 * create, none whose IVs could ever repeat, and none that still opens what was written before.
 *
 * @param place where it is going to be kept: it cannot be opened as if it came from anywhere else
 * @throws StorageError with the reason `'insecure_context'`
 */
export async function seal(record: SessionRecord, place: string): Promise<SealedRecord> {
  const subtle = webCrypto()
  const key = await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const data = await subtle.encrypt(parameters(iv, place), key, encode(JSON.stringify(record)))
  return { version: 1, key, iv, data }
}

/**
 * Decrypts what `seal` gave.
 *
 * @throws StorageError with the reason `'invalid_record'` for anything else, or `'insecure_context'`
 */
export async function unseal(sealed: unknown, place: string): Promise<unknown> {
  const subtle = webCrypto()
  try {
    const { version, key, iv, data } = sealed as SealedRecord
    if (version !== 1) throw new TypeError('Another version')
    const text = await subtle.decrypt(parameters(iv, place), key, data)
    return JSON.parse(new TextDecoder().decode(text))
  } catch {
    // What was thrown is left out: a parser quotes what it read.
    throw new StorageError('The stored session cannot be decrypted.', { reason: 'invalid_record' })
  }
}

const encode = (text: string) => new TextEncoder().encode(text)

const parameters = (iv: Uint8Array<ArrayBuffer>, place: string) => ({
  name: ALGORITHM,
  iv,
  additionalData: encode(`authchart/1/${place}`),
})

function webCrypto(): SubtleCrypto {
  const { crypto } = globalThis as { readonly crypto?: { readonly subtle?: SubtleCrypto } }
  if (crypto?.subtle) return crypto.subtle
  throw new StorageError(
    'There is no WebCrypto here. Browsers offer it to pages from https: and from localhost only.',
    { reason: 'insecure_context' },
  )
}
