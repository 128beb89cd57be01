/** Formats a value for an error message. */
const format = (value: unknown): string =>
  typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object' && value !== null
      ? 'an object'
      : String(value)

/**
 * An error for a value of the wrong kind.
 *
 * @param where the option or parameter, as the caller wrote it
 */
export const wrongKind = (where: string, must: string, value: unknown): TypeError =>
  new TypeError(`${where} must be ${must}, not ${format(value)}.`)

/** Browsers and Node store delays in 32 bits: a longer one fires immediately. */
const LONGEST_WAIT = 2 ** 31 - 1

/**
 * Checks a number and returns it.
 *
 * @throws TypeError if `value` is not a number
 * @throws RangeError if it is not from `least` to `most`
 */
export const checkNumber = (
  where: string,
  value: unknown,
  least: number,
  most = Number.MAX_VALUE,
): number => {
  if (typeof value !== 'number') throw wrongKind(where, 'a number', value)
  if (!(value >= least && value <= most)) {
    throw new RangeError(`${where} must be ${rangeOf(least, most)}, not ${value}.`)
  }
  return value
}

const rangeOf = (least: number, most: number): string => {
  if (least === -Number.MAX_VALUE) return 'a finite number'
  if (most < Number.MAX_VALUE) return `from ${least} to ${most}`
  return `at least ${least}${most === Number.MAX_VALUE ? ' and finite' : ''}`
}

/** Checks a whole number of requests. `Infinity` is valid if `most` allows it. */
export const checkCount = (
  where: string,
  value: unknown,
  least = 0,
  most = Number.POSITIVE_INFINITY,
): number => {
  const count = checkNumber(where, value, least, most)
  if (!Number.isInteger(count) && count !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`${where} must be a whole number, not ${count}.`)
  }
  return count
}

/** Checks a wait in milliseconds. */
export const checkWait = (where: string, value: unknown): number => checkNumber(where, value, 0, LONGEST_WAIT)

export const checkOneOf = <const T extends string>(
  where: string,
  value: unknown,
  choices: readonly T[],
): T => {
  const choice = choices.find((name) => name === value)
  if (choice === undefined) throw wrongKind(where, choices.map((name) => `'${name}'`).join(' or '), value)
  return choice
}

export const checkFunction = (where: string, value: unknown): void => {
  if (typeof value !== 'function') throw wrongKind(where, 'a function', value)
}

/** Scopes or authentication contexts, separated by single spaces (RFC 6749 section 3.3). */
const WORDS = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/

export const isWords = (value: unknown): value is string => typeof value === 'string' && WORDS.test(value)

export const wordsIn = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '')

export const checkWords = (where: string, value: unknown): string => {
  if (value === '' || isWords(value)) return value
  throw wrongKind(where, 'words separated by single spaces', value)
}
