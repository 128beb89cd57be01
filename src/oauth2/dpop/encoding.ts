const encoder = /* @__PURE__ */ new TextEncoder()

export const encode = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

export const digest = (text: string): Promise<ArrayBuffer> => crypto.subtle.digest('SHA-256', encode(text))

/** Base64url without padding (RFC 7515 §2). */
export const toBase64URL = (bytes: ArrayBuffer | Uint8Array): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
