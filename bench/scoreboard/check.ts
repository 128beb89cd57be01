/** A scenario ended in another way than it should. The message is printed on the page. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

const show = (value: unknown): string => {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}

const MAX_SHOWN = 120

const shown = (value: unknown): string => {
  const text = show(value)
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

/** Throws a {@link Mismatch} unless both values have the same JSON. */
export function same(what: string, actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) {
    throw new Mismatch(`${what}: ${shown(actual)} instead of ${shown(expected)}`)
  }
}

/** Counts equal values: `200 × 5, TypeError × 1`. */
export function tally(values: readonly unknown[]): string {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(shown(value), (counts.get(shown(value)) ?? 0) + 1)
  return [...counts].map(([value, count]) => `${value} × ${count}`).join(', ') || 'none'
}
