/**
 * Checks that an option is a number, if it is given.
 *
 * @throws TypeError
 */
export function checkOption(creator: string, name: string, value: unknown, least: number): void {
  if (value === undefined || (typeof value === 'number' && value >= least && Number.isFinite(value))) return
  throw new TypeError(`${creator}: ${name} must be a number of at least ${least}.`)
}
