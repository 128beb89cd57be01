import { expect, onTestFinished } from 'vitest'
import { createHarness, type Harness } from '../../src/testing/conformance/harness.ts'
import { watchRejections } from '../../src/testing/conformance/rejections.ts'
import type { TokenServerOptions } from '../../src/testing/index.ts'

export type {
  Harness,
  HarnessAuth as TestAuth,
  HarnessOptions as TestOptions,
} from '../../src/testing/conformance/harness.ts'
export { deferred, entered, nextEvent, outcomes, times } from '../../src/testing/conformance/waits.ts'

/** Creates a harness for the running test. The test fails if it leaves an unhandled rejection or sends a bad header. */
export const setUp = async (serverOptions: TokenServerOptions = {}): Promise<Harness> => {
  const harness = await createHarness(serverOptions)
  const unhandledRejections = watchRejections()

  onTestFinished(async () => {
    await harness.close()
    expect(await unhandledRejections(), 'unhandled rejections').toEqual([])
    expect(harness.badHeaders(), 'Authorization headers without a token').toEqual([])
  })
  return harness
}

/** A `Storage` like that of a page, over a `Map`. */
export const mapStorage = (): Storage => {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, String(value)),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  }
}
