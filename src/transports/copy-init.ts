import { isObject } from '../core/platform/is-object.ts'
import { isAuthorization } from './authorization.ts'

/**
 * Copies the options of a request.
 *
 * @param begin what is set later: V8 needs a microsecond to add a property to a copy of an object literal
 */
export function copyInit(init: RequestInit | undefined, begin: RequestInit = {}): RequestInit {
  const copy = begin as Record<string, unknown>
  // Inherited options count, as they do for the platform.
  for (const name in init) copy[name] = init[name as keyof RequestInit]
  // Those of a class are not enumerable.
  for (let type = prototypeOf(init); type && type !== Object.prototype; type = prototypeOf(type))
    for (const name of Object.getOwnPropertyNames(type)) copy[name] ??= init?.[name as keyof RequestInit]
  return copy
}

const prototypeOf = (value: object | undefined): object | null =>
  value ? Object.getPrototypeOf(value) : null

/** A `Map` and a `URLSearchParams` have some of the same methods, but compare names with their case. */
function isHeaders(headers: HeadersInit): headers is Headers {
  const { append, sort } = headers as { append?: unknown; sort?: unknown }
  return typeof append === 'function' && sort === undefined
}

/** The same options. Headers that can be read only once, such as those of a generator, are read here. */
export function readableInit(init: RequestInit | undefined): RequestInit | undefined {
  const headers = init?.headers
  if (!isObject(headers) || Array.isArray(headers) || isHeaders(headers)) return init
  return Symbol.iterator in headers
    ? Object.assign(copyInit(init), { headers: [...(headers as Iterable<[string, string]>)] })
    : init
}

/** Whether a caller has set an `Authorization` header. */
export function hasAuthorization(headers: HeadersInit | undefined): boolean {
  if (!headers) return false
  if (isHeaders(headers)) return headers.has('authorization')
  if (Symbol.iterator in headers) return [...headers].some(([name]) => isAuthorization(name))
  for (const name in headers) if (isAuthorization(name) && Object.hasOwn(headers, name)) return true
  return false
}

/** Copies headers of the platform, or of a package by its own class, which keeps the case of the names. */
function cloneHeaders(headers: Headers): Headers {
  const own = headers.constructor as typeof Headers | undefined
  const isOfPlatform = headers instanceof Headers || own === undefined || (own as object) === Object
  return isOfPlatform ? new Headers(headers) : new own(headers)
}

/** Copies headers that the caller may change. */
export function copyHeaders(headers: HeadersInit): HeadersInit {
  if (isHeaders(headers)) return cloneHeaders(headers)
  return Symbol.iterator in headers
    ? Array.from(headers, ([name, value]): [string, string] => [name, value])
    : { ...headers }
}

/** Copies headers and adds the token. The caller's headers have no `authorization`. */
export function withAuthorization(headers: HeadersInit | undefined, authorization: string): HeadersInit {
  if (!headers) return { authorization }
  if (isHeaders(headers)) {
    const copy = cloneHeaders(headers)
    copy.set('authorization', authorization)
    return copy
  }
  // The names stay as the caller wrote them, because some implementations of `fetch` send them like that.
  if (Symbol.iterator in headers) return [...headers, ['authorization', authorization]]
  // The token comes first: to add a property to a copy that a spread has made is slow in V8.
  return { authorization, ...headers }
}
