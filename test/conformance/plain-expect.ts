/** The smallest `expect` that the suite needs, over Node's `assert`. */
import assert from 'node:assert/strict'
import type { TransportHooks } from '../../src/testing/index.ts'

type Fields = Readonly<Record<PropertyKey, unknown>>

const matches = (actual: unknown, expected: unknown): boolean => {
  if (typeof expected !== 'object' || expected === null) return Object.is(actual, expected)
  if (typeof actual !== 'object' || actual === null) return false
  if (Array.isArray(expected) && (actual as Fields).length !== expected.length) return false
  return Object.entries(expected).every(
    ([key, value]) => key in actual && matches((actual as Fields)[key], value),
  )
}

export const expect: TransportHooks['expect'] = (actual) => ({
  toBe: (expected) => assert.equal(actual, expected),
  toEqual: (expected) => assert.deepEqual(actual, expected),
  toMatchObject: (expected) => assert(matches(actual, expected), `${JSON.stringify(actual)} does not match`),
  toBeInstanceOf: (expected) => assert(actual instanceof expected, `${actual} is not a ${expected.name}`),
  toHaveLength: (expected) => assert.equal((actual as readonly unknown[]).length, expected),
  toContain: (expected) => assert((actual as readonly unknown[]).includes(expected)),
  toMatch: (expected) => assert.match(actual as string, expected),
  toBeUndefined: () => assert.equal(actual, undefined),
  toBeGreaterThan: (expected) => assert((actual as number) > expected),
  toBeLessThanOrEqual: (expected) => assert((actual as number) <= expected),
})
