/**
 * What test files import from `vitest`, for runtimes that cannot start Vitest: its own runner, matchers and spies, without the
 * parts that need Node. The bundle of the portable suite replaces `vitest` by this file.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import * as spies from '@vitest/spy'

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFinished,
  suite,
  test,
} from '@vitest/runner'

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

const INTERVAL = 20

/** Calls a function until the expectation of its result holds, as `expect.poll` does. */
const poll = (read: () => unknown, { timeout = 1_000 } = {}) =>
  new Proxy(
    {},
    {
      get:
        (_, matcher: string) =>
        async (...expected: unknown[]) => {
          const end = Date.now() + timeout
          for (;;) {
            const assertion = chai.expect(await read()) as unknown as Record<
              string,
              (...expected: unknown[]) => unknown
            >
            try {
              return assertion[matcher]?.(...expected)
            } catch (error) {
              if (Date.now() > end) throw error
              await new Promise((resolve) => setTimeout(resolve, INTERVAL))
            }
          }
        },
    },
  )

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT as unknown as symbol],
  { poll },
) as unknown as ExpectStatic

setState({ ...getState(expect), assertionCalls: 0, isExpectingAssertions: false }, expect)

const stubbed = new Map<string, PropertyDescriptor | undefined>()

export const vi = {
  fn: spies.fn,
  spyOn: spies.spyOn,
  restoreAllMocks: spies.restoreAllMocks,
  stubGlobal(name: string, value: unknown) {
    if (!stubbed.has(name)) stubbed.set(name, Object.getOwnPropertyDescriptor(globalThis, name))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: true })
  },
  unstubAllGlobals() {
    for (const [name, descriptor] of stubbed) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else Reflect.deleteProperty(globalThis, name)
    }
    stubbed.clear()
  },
  async waitFor<T>(check: () => T | Promise<T>, { timeout = 1_000 } = {}): Promise<T> {
    for (const end = Date.now() + timeout; ; ) {
      try {
        return await check()
      } catch (error) {
        if (Date.now() > end) throw error
        await new Promise((resolve) => setTimeout(resolve, INTERVAL))
      }
    }
  },
}
