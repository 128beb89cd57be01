import { toBase64Url } from './base64url.ts'

const encoder = /* @__PURE__ */ new TextEncoder()

/** The SHA-256 hash of a text, in base64url. */
export async function sha256(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}
