import fc from '../support/property.ts'

const buffers = fc
  .uint8Array({ maxLength: 64 })
  .chain((bytes) =>
    fc.constantFrom<unknown>(
      bytes,
      bytes.buffer,
      new Float64Array(2),
      new DataView(new ArrayBuffer(4)),
      new Blob([bytes]),
      new Uint8Array(new ArrayBuffer(8), 3, 2),
    ),
  )

/** Objects that have more on them than their class shows, or refer to themselves. */
const odd = fc
  .constantFrom<() => unknown>(
    () => {
      const loop: Record<string, unknown> = {}
      loop.loop = loop
      return loop
    },
    () => Object.assign(['https://api.example.com/'], { clone: 1, url: 'https://api.example.com/' }),
    () => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'),
    () => new Error('secret', { cause: new TypeError('x') }),
    () => /^(a+)+$/,
    () => new Array(100_000),
    () => 'x'.repeat(100_000),
    () => Array.from({ length: 500 }).reduce((inner) => [inner], []),
  )
  .map((make) => make())

/** Any value that `postMessage` can copy. */
export const clonable: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  buffers,
  odd,
)

/** A record with the given fields. Each of them has a plausible value, any value, or is missing. */
export function likely(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<object> {
  const model = Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [
      name,
      fc.oneof({ weight: 8, arbitrary: values }, { weight: 1, arbitrary: clonable }),
    ]),
  )
  return fc.record(model, { requiredKeys: [] })
}
