/**
 * Throws arbitrary values at one place where something comes from outside. Each file of this folder is one such place. In CI a
 * search is short, and its seed comes from the code. `npm run test:fuzz` searches longer, with a new seed.
 */
import { expect, it, vi } from 'vitest'
import { codeSeed } from '../support/code-seed.ts'
import fc from '../support/property.ts'

/** How often each search runs. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 40)
const SEED = Number(process.env.FUZZ_SEED ?? codeSeed())
const TIMEOUT = 20_000 + RUNS * 200

/**
 * Declares a search. It fails if `attack` rejects or takes too long, if an error is uncaught, or if the library reports one.
 *
 * @param title a sentence about what holds, whatever comes
 * @param values what one attack consists of
 */
export function fuzz<T>(title: string, values: fc.Arbitrary<T>, attack: (values: T) => Promise<void>): void {
  it(
    title,
    async () => {
      const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
      try {
        await fc.assert(fc.asyncProperty(values, attack), { numRuns: RUNS, seed: SEED, endOnFailure: true })
        expect(reported.mock.calls).toEqual([])
      } finally {
        reported.mockRestore()
      }
    },
    TIMEOUT,
  )
}

/** Rejects if a promise does not settle soon. Returns its value, or its error. `what` names it. */
export async function settled(what: string, promise: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It waits for ever: ${what}`)), 5_000)
  })
  try {
    return await Promise.race([promise.catch((error: unknown) => error), late])
  } finally {
    clearTimeout(timer)
  }
}
