/**
 * The session in a worker: no token on the page.
 *
 * @module
 */
export { type ConnectAuthOptions, connectAuth } from './connect-auth.ts'
export type { AuthWorker } from './connection.ts'
export { type ServeAuthOptions, serveAuth } from './serve-auth.ts'
