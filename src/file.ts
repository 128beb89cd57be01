/**
 * A session in a file, and the coordinator for the processes that share it. For Node, Deno and Bun.
 *
 * @module
 */
export { type FileCoordinatorOptions, fileCoordinator } from './coordination/file.ts'
export type { SessionRecord, SessionStorage } from './core/ports.ts'
export { fileStorage } from './storage/file.ts'
