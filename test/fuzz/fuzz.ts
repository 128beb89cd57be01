/**
 * Throws arbitrary values at one place where something comes from outside. Each file of this folder is one such place, except two.
 * In `features.test.ts`, the features of a session and what happens to it are arbitrary. `fuzz.test.ts` tests this file. In CI a
 * search is short, and its seed comes from the code. `npm run test:fuzz` searches longer, with a new seed.
 */
import { expect, it, vi } from 'vitest'
import { codeSeed } from '../support/code-seed.ts'
import fc from '../support/property.ts'

const SEED = Number(process.env.FUZZ_SEED ?? codeSeed())

interface FuzzOptions {
  /** How often it runs in CI. Default: 40. */
  readonly runs?: number
  /** Whether fast-check makes a failure smaller: only for attacks that fail fast. Default: no. */
  readonly shrinks?: boolean
}

/**
 * Declares a search. It fails if `attack` rejects or takes too long, if an error is uncaught, or if the library reports one.
 *
 * @param title a sentence about what holds, whatever comes
 * @param values what one attack consists of
 */
export function fuzz<T>(
  title: string,
  values: fc.Arbitrary<T>,
  attack: (values: T) => Promise<void>,
  { runs = 40, shrinks = false }: FuzzOptions = {},
): void {
  const numRuns = Number(process.env.FUZZ_RUNS ?? runs)
  it(title, () => search(values, attack, { numRuns, endOnFailure: !shrinks }), 20_000 + numRuns * 200)
}

/** The search that `fuzz` declares. Rejects with what it found. */
export async function search<T>(
  values: fc.Arbitrary<T>,
  attack: (values: T) => Promise<void>,
  parameters: { readonly numRuns: number; readonly endOnFailure: boolean },
): Promise<void> {
  const faults: unknown[] = []
  const addFault = (fault: unknown) => void faults.push(fault)
  const reported = vi.spyOn(console, 'error').mockImplementation((...parts) => addFault(parts))
  process.on('unhandledRejection', addFault)
  const property = fc.asyncProperty(values, async (given) => {
    let found: unknown[] = []
    try {
      await attack(given)
    } finally {
      await rejections()
      found = faults.splice(0)
    }
    expect(found, 'reported, or rejected without a handler').toEqual([])
  })
  try {
    await fc.assert(property, { ...parameters, seed: SEED })
    expect(faults).toEqual([])
  } finally {
    process.off('unhandledRejection', addFault)
    reported.mockRestore()
  }
}

/** Waits for `unhandledRejection` of what was rejected: Node emits it only after all microtasks. */
const rejections = () => new Promise((resolve) => setImmediate(resolve))

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
