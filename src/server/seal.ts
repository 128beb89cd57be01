import { StorageError } from '../core/errors.ts'
import { fromBase64, toBase64Url } from '../environment/base64url.ts'
import type { KeyRing } from './key-ring.ts'

/** The version of a box: its first byte. */
const VERSION = 1
const IV_LENGTH = 12
const TAG_LENGTH = 16
/** The longest box, in characters: as much as is taken from a database. A session has a few thousand. */
const LONGEST = 1_000_000

/** What a box is about. It opens only as what it was sealed as. */
export type Place = readonly (string | number)[]

const encoder = new TextEncoder()

/** Boxes cannot be moved to another place, nor pass for those of another key. */
const parametersOf = (iv: Uint8Array<ArrayBuffer>, id: string, place: Place) => ({
  name: 'AES-GCM',
  iv,
  additionalData: encoder.encode(JSON.stringify(['authchart', VERSION, id, ...place])),
})

/**
 * Seals a text with AES-256-GCM.
 *
 * A box is base64url of: a byte with the version, a byte with the length of the key's name, that name, 12 random bytes, and what
 * AES-GCM made of the text.
 *
 * @param place what the box is about: the same is needed to open it
 * @throws StorageError with the reason `'too_large'`
 */
export async function seal(keys: KeyRing, place: Place, text: string): Promise<string> {
  const id = keys.current
  const key = await keys.key(id)
  const iv = crypto.getRandomValues(new Uint8Array(IV_LENGTH))
  const data = await crypto.subtle.encrypt(
    parametersOf(iv, id, place),
    key as CryptoKey,
    encoder.encode(text),
  )
  const name = encoder.encode(id)
  const box = new Uint8Array(2 + name.length + IV_LENGTH + data.byteLength)
  box.set([VERSION, name.length])
  box.set(name, 2)
  box.set(iv, 2 + name.length)
  box.set(new Uint8Array(data), 2 + name.length + IV_LENGTH)
  const sealed = toBase64Url(box)
  if (sealed.length > LONGEST) throw refused('too_large', 'The session is too large to be sealed.')
  return sealed
}

/**
 * Opens what `seal` made.
 *
 * @throws StorageError with the reason `'not_a_box'`; `'unknown_key'` if the ring has no key of that name; or `'box_refused'` if
 * the box was damaged, sealed with another secret, or made for another place
 */
export async function open(keys: KeyRing, place: Place, box: unknown): Promise<string> {
  const { id, iv, data } = partsOf(box)
  const key = keys.key(id)
  if (!key)
    throw refused(
      'unknown_key',
      'The session was sealed with a key that is not in the key ring. Add that key again.',
    )
  try {
    const text = await crypto.subtle.decrypt(parametersOf(iv, id, place), await key, data)
    return new TextDecoder().decode(text)
  } catch {
    throw refused('box_refused', 'The stored session was changed, moved, or sealed with another secret.')
  }
}

/** Whether a box was sealed with the key that seals now. */
export const isCurrent = (keys: KeyRing, box: unknown): boolean => partsOf(box).id === keys.current

/** @throws StorageError with the reason `'not_a_box'` */
function partsOf(box: unknown) {
  const bytes = typeof box === 'string' && box.length <= LONGEST ? fromBase64(box) : undefined
  const nameLength = bytes?.[1] ?? 0
  const start = 2 + nameLength
  if (!bytes || bytes[0] !== VERSION || nameLength === 0 || bytes.length < start + IV_LENGTH + TAG_LENGTH)
    throw refused('not_a_box', 'What is stored was not sealed by this version of authchart.')
  const id = String.fromCharCode(...bytes.subarray(2, start))
  return { id, iv: bytes.slice(start, start + IV_LENGTH), data: bytes.subarray(start + IV_LENGTH) }
}

/** Without a cause, because errors of others may quote what they read. */
const refused = (reason: string, message: string) => new StorageError(message, { reason })
