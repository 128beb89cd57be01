import { toBase64Url } from './base64url.ts'

const encoder = new TextEncoder()

async function hash(text: string): Promise<string> {
  return toBase64Url(new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text))))
}

/**
 * The fleet's key of a session: SHA-256 of what the cookie contains, so that a copy of the database signs no one in.
 *
 * @param key the value of the cookie, or the name of a session that processes share
 */
export const hashKey = (key: string): Promise<string> => hash(key)

/** What a session can be found by: its user, the `sid` of its ID token, or the key that sealed it first. */
export type TagKind = 'sub' | 'sid' | 'key'

/** The fleet's tag of a user or of a `sid`. A copy of the database shows neither, but a guess can be compared with it. */
export const hashTag = (kind: TagKind, value: string): Promise<string> => hash(JSON.stringify([kind, value]))
