import { expect, onTestFinished } from 'vitest'
import { type Bench, createBench } from '../../src/testing/conformance/bench.ts'
import { watchRejections } from '../../src/testing/conformance/rejections.ts'
import type { TokenServerOptions } from '../../src/testing/index.ts'

export {
  type Bench,
  type BenchAuth as TestAuth,
  type BenchOptions as TestOptions,
  type Credentials,
  isTokenRequest,
} from '../../src/testing/conformance/bench.ts'
export { entered, nextEvent, outcomes, times } from '../../src/testing/conformance/waits.ts'

/** A server on loopback and a maker of auths, both gone after the test, which fails where a rejection was left alone. */
export const setUp = async (serverOptions: TokenServerOptions = {}): Promise<Bench> => {
  const bench = await createBench(serverOptions)
  const unhandledRejections = watchRejections()

  onTestFinished(async () => {
    await bench.close()
    expect(await unhandledRejections(), 'rejections that nobody handled').toEqual([])
    expect(bench.badHeaders(), 'headers made of something that is no token').toEqual([])
  })
  return bench
}

/** A `Storage` as a page has it, over a `Map`. */
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
