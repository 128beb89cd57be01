import { StorageError } from '../core/errors.ts'
import type { SessionRecord } from '../core/ports.ts'
import { parseRecord } from './json.ts'

/** An encrypted record together with its key, so that either both are stored or neither. */
export interface EncryptedRecord {
  readonly version: 1
  readonly key: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly data: ArrayBuffer
}

const ALGORITHM = 'AES-GCM'

/**
 * Encrypts a record with a new key. With one key per write, two tabs cannot create the same key, an IV is never used twice
 * with a key, and no key decrypts an earlier record.
 *
 * @param place the name of the store. The record cannot be decrypted under another name.
 * @throws StorageError with the reason `'insecure_context'` if WebCrypto is not available
 */
export async function encrypt(record: SessionRecord, place: string): Promise<EncryptedRecord> {
  const subtle = webCrypto()
  const key = await subtle.generateKey({ name: ALGORITHM, length: 256 }, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const data = await subtle.encrypt(parameters(iv, place), key, encode(JSON.stringify(record)))
  return { version: 1, key, iv, data }
}

/**
 * Decrypts the result of `encrypt`.
 *
 * @throws StorageError with the reason `'invalid_record'` for any other value, or `'insecure_context'`
 */
export async function decrypt(encrypted: unknown, place: string): Promise<unknown> {
  const subtle = webCrypto()
  try {
    const { version, key, iv, data } = encrypted as EncryptedRecord
    if (version !== 1) throw new TypeError('Unknown version')
    const text = await subtle.decrypt(parameters(iv, place), key, data)
    return parseRecord(new TextDecoder().decode(text))
  } catch {
    // Omit the cause: a parse error may quote the token.
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
  throw new StorageError('WebCrypto is not available. Serve the page from https: or from localhost.', {
    reason: 'insecure_context',
  })
}
