import { readUntilAborted } from './body.ts'
import { copyRequest } from './copy-request.ts'

/** Whether this is a page or a worker of a browser. */
export const isBrowser = (): boolean =>
  typeof location === 'object' && !(typeof process === 'object' && process.versions?.node !== undefined)

/**
 * A second copy of a request's body. Browsers are not asked whether there is one, because WebKit sends a body that a script has
 * looked at as a stream. Then it cannot read the files of a form, and sends nothing with `keepalive`.
 */
export const cloneBody = (request: Request): Request | undefined =>
  /^(GET|HEAD)$/.test(request.method) || (!isBrowser() && request.body === null) ? undefined : request.clone()

const bytes = /* @__PURE__ */ new WeakMap<Request, Promise<Blob>>()

/**
 * A request to send once more.
 *
 * @param sent the one that was sent before
 * @param spare what `cloneBody` returned for it
 */
export function withBodyAgain(sent: Request, spare: Request): Request | Promise<Request> {
  // In browsers and in React Native, not every body can be read as bytes, but each can be copied as it is.
  if (isBrowser() || spare.body === undefined) return spare.clone()
  // Not a buffer: Node detaches that, and could not send it again to where a redirect leads.
  const reading = bytes.get(spare) ?? readUntilAborted(spare.body, () => spare.blob(), sent.signal)
  bytes.set(spare, reading)
  // A new request, because a clone loses what the platform knows beside the standard: the dispatcher, in Node.
  return reading.then((body) => copyRequest(sent, { body }))
}
