import type { Dispatcher } from 'undici'
import { isAuthorization } from '../authorization.ts'

type UndiciHeaders = NonNullable<Dispatcher.DispatchOptions['headers']>
type Value = string | string[] | undefined

/** Headers by their names, or names and values by turns: the two forms that undici's interceptors understand. */
export type OwnHeaders = Record<string, Value> | Value[]

/** Copies a list of several values. */
const copyValue = <T>(value: T): T => (Array.isArray(value) ? (value.slice() as T) : value)

/** Copies values by their names, such as headers or a query, that the caller may change. */
export function copyValues<T extends object>(values: T): T {
  const copy = { ...values }
  for (const name in copy) copy[name] = copyValue(copy[name])
  return copy
}

/** Copies headers that the caller may change. */
export function copyHeaders(headers: Dispatcher.DispatchOptions['headers']): OwnHeaders {
  if (!headers) return {}
  if (Array.isArray(headers)) return headers.map(copyValue)
  return Symbol.iterator in headers
    ? [...(headers as Iterable<[string, Value]>)].flat().map(copyValue)
    : copyValues(headers)
}

/** Whether a caller has set an `Authorization` header. */
export function hasAuthorization(headers: OwnHeaders): boolean {
  if (Array.isArray(headers))
    return headers.some((name, index) => index % 2 === 0 && isAuthorization(String(name)))
  for (const name in headers) if (isAuthorization(name)) return true
  return false
}

/** Copies headers and adds some that they do not have. */
export function withHeaders(headers: OwnHeaders, added: Readonly<Record<string, string>>): UndiciHeaders {
  const all = Array.isArray(headers)
    ? [...Object.entries(added).flat(), ...headers]
    : { ...added, ...headers }
  return all as UndiciHeaders
}

/** The text of a header that may have been sent several times. */
export const textOf = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === 'object' ? value.join(', ') : value
