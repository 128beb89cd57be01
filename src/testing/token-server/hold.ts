import type { TokenServerRequest } from './types.ts'
import type { Waits } from './waits.ts'

/** A place where requests wait until a verdict on them is given. */
export interface Hold<Verdict> {
  readonly arrived: Promise<TokenServerRequest>
  /** @throws Error where a verdict was given before, or can reach nobody any more */
  decide(verdict: Verdict): void
  /** Waits for the verdict, and applies it within the call that gives it. */
  take<T>(request: TokenServerRequest, apply: (verdict: Verdict) => T | Promise<T>): Promise<T>
  /** Nobody will come any more: rejects `arrived`. Those who wait go on waiting. */
  abandon(reason: unknown): void
}

export const createHold = <Verdict>(waits: Waits, n = 1): Hold<Verdict> => {
  const waiting = new Set<(verdict: Verdict) => void>()
  let decided: { readonly verdict: Verdict } | undefined
  let over = false
  let expected = n
  let settle: { arrive(request: TokenServerRequest): void; abandon(reason: unknown): void } | undefined
  const arrived = new Promise<TokenServerRequest>((arrive, abandon) => {
    settle = { arrive, abandon }
  })
  // A hold that no request came to is no failure of a test that did not wait for one.
  arrived.catch(() => {})

  return {
    arrived,

    decide(verdict) {
      if (over)
        throw new Error('Nobody is held here: the server was closed, reset or cleared of its scripts.')
      if (decided) throw new Error('This hold was let go before. Make one for each request that shall wait.')
      decided = { verdict }
      for (const apply of waiting) apply(verdict)
      waiting.clear()
    },

    async take(request, apply) {
      expected -= 1
      if (expected === 0) settle?.arrive(request)
      if (decided) return apply(decided.verdict)
      return waits.until((resolve) => {
        const run = (verdict: Verdict): void => resolve(attempt(() => apply(verdict)))
        waiting.add(run)
        return () => {
          waiting.delete(run)
          over = waiting.size === 0 && expected === 0
        }
      })
    },

    abandon(reason) {
      settle?.abandon(reason)
      expected = 0
      over = waiting.size === 0
    },
  }
}

/** A throw as a rejection. Unlike `then`, it runs its task now. */
const attempt = async <T>(task: () => T | Promise<T>): Promise<T> => task()
