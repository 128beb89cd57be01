import { sha256 } from '../environment/sha256.ts'

/**
 * The fleet's key of a session: SHA-256 of what the cookie contains, so that a copy of the database signs no one in.
 *
 * @param key the value of the cookie, or the name of a session that processes share
 */
export const hashKey = (key: string): Promise<string> => sha256(key)

/** What a session can be found by: its user, or the `sid` of its ID token. */
export type TagKind = 'sub' | 'sid'

/** The fleet's tag of a user or of a `sid`. A copy of the database shows neither, but a guess can be compared with it. */
export const hashTag = (kind: TagKind, value: string): Promise<string> =>
  sha256(JSON.stringify([kind, value]))
