/** A worker and its page in one process, connected by a port only. */
import { onTestFinished } from 'vitest'
import type { Auth } from '../../src/index.ts'
import { connectAuth, type ServeAuthOptions, serveAuth } from '../../src/worker/index.ts'

/** Stops everything that `overPort` has started. */
type End = () => void

/** Returns the page's end of a session in this process. Messages over the port are copied, as between threads. */
export function overPort<Credentials>(
  auth: Auth<Credentials>,
  options: ServeAuthOptions,
): { page: Auth<Credentials>; end: End; port: MessagePort } {
  const { port1, port2 } = new MessageChannel()
  const stop = serveAuth(auth, { ...options, port: port2 })
  const page = connectAuth<Credentials>(port1)
  const end = () => {
    page.dispose()
    stop()
    port1.close()
    port2.close()
  }
  return { page, end, port: port1 }
}

/** Like `overPort`, but stops after the test. */
export function connected<Credentials>(auth: Auth<Credentials>, options: ServeAuthOptions) {
  const { page, end } = overPort(auth, options)
  onTestFinished(end)
  return page
}
