import { LONGEST_WAIT } from '../../../machines/policies.ts'
import { isObject } from '../platform/is-object.ts'

/**
 * How long a `Retry-After` header (RFC 9110 §10.2.3) asks to wait, in milliseconds. A date is compared with the server's
 * own `Date` if it sent one, so that a wrong clock here does no harm. At most an hour, because an absurd header must not stop
 * refreshes for good.
 */
export function retryAfter(headers: unknown, now: number): number | undefined {
  const value = header(headers, 'retry-after')
  if (value === undefined) return undefined
  const seconds = value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isFinite(seconds)) return within(seconds * 1000)
  const date = Date.parse(value)
  const served = Date.parse(header(headers, 'date') ?? '')
  return Number.isNaN(date) ? undefined : within(date - (Number.isNaN(served) ? now : served))
}

const within = (milliseconds: number) => Math.min(LONGEST_WAIT, Math.max(0, milliseconds))

/** Reads a header from a `Headers`, an `AxiosHeaders` or a plain object. */
function header(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined
  const { get } = headers
  const value =
    typeof get === 'function'
      ? get.call(headers, name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  const first = Array.isArray(value) ? value[0] : value
  const text = typeof first === 'string' || typeof first === 'number' ? String(first) : ''
  // An HTTP date has 29 characters.
  return text !== '' && text.length < 100 ? text : undefined
}
