import { toBase64Url } from '../environment/base64url.ts'

/** 256 random bits in base64url: 43 characters. */
export const randomKey = (): string => toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
