/**
 * Parsers for messages. A message comes from another thread, and any script there may have written it. A parser returns a copy of
 * what it knows, and drops everything else.
 */

/** Returns the value, or a copy of its known parts. Throws if it is of another form. */
export type Parser<T> = (value: unknown) => T

/** Thrown for a value of another form. A constant, because no caller learns more than that. */
const REFUSED = new TypeError('The message has an unknown form.')

const refuse = (): never => {
  throw REFUSED
}

export const text =
  (length: number): Parser<string> =>
  (value) =>
    typeof value === 'string' && value.length <= length ? value : refuse()

export const integer =
  (from: number, to: number): Parser<number> =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to
      ? (value as number)
      : refuse()

export const number: Parser<number> = (value) => (Number.isFinite(value) ? (value as number) : refuse())

export const flag: Parser<boolean> = (value) => (typeof value === 'boolean' ? value : refuse())

export const oneOf =
  <const Value extends string>(...values: readonly Value[]): Parser<Value> =>
  (value) =>
    values.find((known) => known === value) ?? refuse()

export const instance =
  <T>(Class: new (...args: never[]) => T): Parser<T> =>
  (value) =>
    value instanceof Class ? value : refuse()

export const list =
  <T>(item: Parser<T>, length: number): Parser<readonly T[]> =>
  (value) =>
    Array.isArray(value) && value.length <= length ? Array.from(value, item) : refuse()

export const pair =
  <T>(item: Parser<T>): Parser<readonly [T, T]> =>
  (value) =>
    Array.isArray(value) && value.length === 2 ? [item(value[0]), item(value[1])] : refuse()

export const optional =
  <T>(parse: Parser<T>): Parser<T | undefined> =>
  (value) =>
    value === undefined ? undefined : parse(value)

export const nullable =
  <T>(parse: Parser<T>): Parser<T | null> =>
  (value) =>
    value === null ? null : parse(value)

export const either =
  <T, U>(first: Parser<T>, second: Parser<U>): Parser<T | U> =>
  (value) => {
    try {
      return first(value)
    } catch {
      return second(value)
    }
  }

/** Structured data that only the app, or the chart, can judge. */
export const anything: Parser<unknown> = (value) => value

/** An object whose fields are checked elsewhere. */
export const object: Parser<object> = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : refuse()

/** A plain object with own fields. Its prototype and all unknown fields are dropped. */
export const record =
  <T>(fields: { readonly [Name in keyof T]-?: Parser<T[Name]> }): Parser<T> =>
  (value) => {
    const given = object(value)
    const known: Record<string, unknown> = {}
    for (const name in fields) {
      const own = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined
      const parsed = fields[name](own)
      if (parsed !== undefined) known[name] = parsed
    }
    return known as T
  }

/** Returns what `parse` makes of the value; `undefined` if the value has another form. */
export function parsed<T>(parse: Parser<T>, value: unknown): T | undefined {
  try {
    return parse(value)
  } catch {
    return undefined
  }
}
