import type { Dispatcher } from 'undici'
import { isAuthorization } from '../authorization.ts'

type UndiciHeaders = NonNullable<Dispatcher.DispatchOptions['headers']>
type Value = string | string[] | undefined

/** Headers by their names, or names and values by turns: the two forms that undici's interceptors understand. */
export type OwnHeaders = Record<string, Value> | Value[]

/** Copies headers that the caller may change. */
export function copyHeaders(headers: Dispatcher.DispatchOptions['headers']): OwnHeaders {
  if (!headers) return {}
  if (Array.isArray(headers)) return [...headers]
  return Symbol.iterator in headers ? [...(headers as Iterable<[string, Value]>)].flat() : { ...headers }
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
