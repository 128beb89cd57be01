import { isObject } from '../core/platform/is-object.ts'

/** A `fetch` that an app gives may read one of these instead of the URL that was checked. */
const READ_AS_URL = ['url', 'href', 'toString', 'valueOf', Symbol.toPrimitive]

/** Node's `Request` forgets its signal when it is collected, so a copy has to live as long as the request that a caller keeps. */
const copies = new WeakMap<Request, Request>()

/** The URL that the platform sends a `Request` to, whatever a subclass says; `undefined` if a value only looks like a `Request`. */
export function requestURL(input: unknown): string | undefined {
  if (!isObject(input) || !('clone' in input)) return undefined
  try {
    const owner = urlOwner(Request.prototype)
    if (owner !== Object.prototype) return Reflect.get(owner, 'url', input)
    // In React Native, the URL is a field of the request itself.
    return input instanceof Request ? Object.getOwnPropertyDescriptor(input, 'url')?.value : undefined
  } catch {
    return undefined
  }
}

/**
 * Copies a `Request` by the platform's own class, because a subclass may have another constructor. The copy has the class
 * and the fields of the given one, unless that class has its own idea of the URL.
 *
 * @param init what differs; the rest is as in the given request
 */
export function copyRequest(given: Request, init?: RequestInit): Request {
  const { referrer, referrerPolicy } = given
  // With any option, the platform resets the referrer.
  const copy = new Request(given, init && { referrer, referrerPolicy, ...init })
  copies.set(given, copy)
  if (urlOwner(given) !== urlOwner(Request.prototype)) return copy
  Object.setPrototypeOf(copy, Object.getPrototypeOf(given))
  for (const [name, value] of Object.entries(given))
    if (!(name in copy)) Object.assign(copy, { [name]: value })
  return copy
}

/** The first object of a prototype chain that says what the URL is. A test environment may have put a subclass of `Request` in its place. */
function urlOwner(object: object): object {
  let owner = object
  while (!READ_AS_URL.some((name) => Object.hasOwn(owner, name))) owner = Object.getPrototypeOf(owner)
  return owner
}
