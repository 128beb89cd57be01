/**
 * Where a session is kept between visits.
 *
 * @module
 */
export type { SessionRecord, SessionStorage } from '../core/ports.ts'
export { memoryStorage } from './memory.ts'
export { type WebStorageOptions, webStorage } from './web.ts'
