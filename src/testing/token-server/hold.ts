import type { TokenServerRequest } from './requests.ts'
import type { Waits } from './waits.ts'

/** Keeps requests waiting until the test decides how they are answered. */
export interface Hold<Reply> {
  /** Resolves with the last expected request. */
  readonly arrived: Promise<TokenServerRequest>
  /** @throws Error if a reply was given before, or no request can receive it any more */
  decide(reply: Reply): void
  /** Waits for the reply, and applies it synchronously within `decide`. */
  take<T>(request: TokenServerRequest, apply: (reply: Reply) => T | Promise<T>): Promise<T>
  /** Expects no more requests: rejects `arrived`. Requests that wait already keep waiting. */
  abandon(reason: unknown): void
}

export const createHold = <Reply>(waits: Waits, n = 1): Hold<Reply> => {
  const waiting = new Set<(reply: Reply) => void>()
  let decided: { readonly reply: Reply } | undefined
  let isUnreachable = false
  let expected = n
  let arrival: { resolve(request: TokenServerRequest): void; reject(reason: unknown): void } | undefined
  const arrived = new Promise<TokenServerRequest>((resolve, reject) => {
    arrival = { resolve, reject }
  })
  // A test that never awaits `arrived` must not fail with an unhandled rejection.
  arrived.catch(() => {})

  return {
    arrived,

    decide(reply) {
      if (isUnreachable)
        throw new Error('No request is held: the server was closed, reset or cleared of its scripts.')
      if (decided) throw new Error('This hold was already released. Create one hold for each request.')
      decided = { reply }
      for (const apply of waiting) apply(reply)
      waiting.clear()
    },

    async take(request, apply) {
      expected -= 1
      if (expected === 0) arrival?.resolve(request)
      if (decided) return apply(decided.reply)
      return waits.until((resolve) => {
        const run = (reply: Reply): void => resolve(attempt(() => apply(reply)))
        waiting.add(run)
        return () => {
          waiting.delete(run)
          isUnreachable = waiting.size === 0 && expected === 0
        }
      })
    },

    abandon(reason) {
      arrival?.reject(reason)
      expected = 0
      isUnreachable = waiting.size === 0
    },
  }
}

/** Turns a throw into a rejection. Unlike `then`, it runs the task synchronously. */
const attempt = async <T>(task: () => T | Promise<T>): Promise<T> => task()
