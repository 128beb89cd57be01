/** Standard base64 without `Buffer`, so that it also works in browsers. */
export const toBase64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))

const toBase64Url = (value: unknown): string =>
  toBase64(new TextEncoder().encode(JSON.stringify(value)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')

/** 128 random bits as hex digits. */
export const randomHex = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  )

/** An unsigned JWT (RFC 7519 section 6). Its third part is `marker`, so that searches for leaked tokens can find it. */
export const unsignedJwt = (claims: Readonly<Record<string, unknown>>, marker: string): string => {
  // Pad to a multiple of 4: some clients check the encoding of all three parts.
  const signature = marker.padEnd(Math.ceil(marker.length / 4) * 4, '0')
  return `${toBase64Url({ alg: 'none', typ: 'at+jwt' })}.${toBase64Url(claims)}.${signature}`
}
