/**
 * Types of globals that the types of some runtimes lack. With those of a browser they are the types of the DOM, so a consumer
 * without the DOM compiles all the same.
 */

/** `CryptoKey`, of the DOM or of Node. */
export type WebCryptoKey = typeof globalThis extends {
  crypto: { subtle: { importKey(...options: never[]): Promise<infer Key> } }
}
  ? Key
  : object

/** `CryptoKeyPair`. */
export interface WebCryptoKeyPair {
  readonly publicKey: WebCryptoKey
  readonly privateKey: WebCryptoKey
}

/** The part of a JSON Web Key (RFC 7517) that keys of elliptic curves have. */
export interface JWK {
  kty?: string
  crv?: string
  x?: string
  y?: string
  /** The private part. */
  d?: string
  alg?: string
  ext?: boolean
  key_ops?: string[]
  use?: string
}

/** `Window`, if the types have a DOM. */
export type PopupWindow = typeof globalThis extends { Window: { prototype: infer W } } ? W : never
