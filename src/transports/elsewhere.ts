import { type AnyAuth, FETCH } from '../core/auth.ts'

/** What decides about each sending, and so has to be where requests are sent. */
const THERE = ['isChallenge', 'bufferStreams', 'abortInFlight'] as const

/**
 * How to send for a session that lives in a worker; `undefined` for one that lives here.
 *
 * @throws TypeError where an option is given that has to be given there
 */
export function fetchElsewhere(
  auth: AnyAuth,
  options: { readonly [Name in (typeof THERE)[number]]?: unknown },
): typeof fetch | undefined {
  const elsewhere = auth[FETCH]
  for (const name of THERE)
    if (elsewhere && options[name]) throw new TypeError(`Give ${name} to serveAuth, in the worker.`)
  return elsewhere
}
