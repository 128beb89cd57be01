/**
 * Stores that keep a session between visits.
 *
 * @module
 */
export type { SessionRecord, SessionStorage } from '../core/ports.ts'
export { type EncryptedStorageOptions, encryptedStorage } from './encrypted.ts'
export { memoryStorage } from './memory.ts'
export { type UnstorageLike, type UnstorageOptions, unstorageStorage } from './unstorage.ts'
export { type WebStorageOptions, webStorage } from './web.ts'
