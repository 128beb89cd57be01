/**
 * Keeps the session in a worker, so that no token is on the page.
 *
 * @module
 */
export { type ConnectAuthOptions, connectAuth } from './connect-auth.ts'
export type { AuthWorker } from './connection.ts'
export { exposeError } from './expose-error.ts'
export { type ServeAuthOptions, serveAuth } from './serve-auth.ts'
