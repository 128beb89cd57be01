import { type AuthHandle, REQUEST_GATE, WORKER_FETCH } from '../core/auth.ts'
import { messageOf } from '../core/messages.ts'

/** Options that take part in each sending. They have to be given in the worker, because requests are sent there. */
const WORKER_ONLY_OPTIONS = ['isChallenge', 'bufferStreams', 'abortInFlight'] as const

/**
 * The `fetch` of the worker that owns the session, or `undefined` if the session lives in this context.
 *
 * @throws TypeError if the session is that of another version of this package, or if an option is given that has to be given in the worker
 */
export function workerFetch(
  auth: AuthHandle,
  options: { readonly [Name in (typeof WORKER_ONLY_OPTIONS)[number]]?: unknown },
): typeof fetch | undefined {
  if (!(REQUEST_GATE in Object(auth))) throw new TypeError(messageOf('no_gate'))
  const fetch = auth[WORKER_FETCH]
  for (const name of WORKER_ONLY_OPTIONS)
    if (fetch && options[name]) throw new TypeError(messageOf('worker_option', { detail: name }))
  return fetch
}
