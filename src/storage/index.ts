/**
 * Stores that keep a session between visits, and the coordinator for processes that share one in a file.
 *
 * @module
 */
// Public under `authchart/storage`, because `fileCoordinator` is used together with `fileStorage`.
export { type FileCoordinatorOptions, fileCoordinator } from '../coordination/file.ts'
export type { SessionRecord, SessionStorage } from '../core/ports.ts'
export { type EncryptedStorageOptions, encryptedStorage } from './encrypted.ts'
export { fileStorage } from './file.ts'
export { memoryStorage } from './memory.ts'
export { type UnstorageLike, type UnstorageOptions, unstorageStorage } from './unstorage.ts'
export { type WebStorageOptions, webStorage } from './web.ts'
