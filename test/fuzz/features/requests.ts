import { expect } from 'vitest'
import { bearerRequest } from '../../../src/core/requests/bearer-request.ts'
import type { RequestPlan } from './plan.ts'
import { type Answer, challengeOf, inTurns, sleep } from './server.ts'
import type { World } from './world.ts'

/** A request or call, and what came of it. */
export interface Watched {
  readonly what: string
  /** When it began, in milliseconds. */
  readonly at: number
  state: 'pending' | 'fulfilled' | 'rejected'
  value?: unknown
}

/** Sends requests with a session, and watches them and other calls. */
export function createRequests({ features, pace, clock, server, auth, branch }: World) {
  const all: Watched[] = []
  const faults: string[] = []
  const challengeTakes = inTurns(pace.challenge)
  /** The user who is signed in, or whose session has expired. */
  let user: string | undefined
  auth.actor.subscribe(() => {
    user = auth.session?.subject ?? (auth.state === 'expired' ? user : undefined)
  })

  /** Records what comes of a promise. */
  function watch(what: string, promise: Promise<unknown>): Watched {
    const watched: Watched = { what, at: clock.now(), state: 'pending' }
    const settle = (state: 'fulfilled' | 'rejected') => (value: unknown) => {
      Object.assign(watched, { state, value })
    }
    promise.then(settle('fulfilled'), settle('rejected'))
    all.push(watched)
    return watched
  }

  return {
    watch,
    all,
    faults,
    send(plan: RequestPlan): Watched {
      const { endpoint, onBranch, timeout, abortedAfter } = plan
      const target = (onBranch && branch) || auth
      const caller = new AbortController()
      const takes = inTurns(plan.takes)
      let owner = user
      let sendings = 0
      let hasActed = false

      async function send(authorization: string | undefined, abort?: AbortSignal): Promise<Answer> {
        const accessToken = authorization?.split(' ')[1]
        const sender = server.userOf(accessToken)
        owner ??= sender
        if (sender !== owner) faults.push(`a request of ${owner} was sent with a token of ${sender}`)
        if (hasActed) faults.push(`a request that took effect was sent again: ${endpoint}`)
        const isLost = sendings++ === plan.lost
        await untilAborted(sleep(clock, takes()), caller.signal, abort)
        if (isLost) throw new TypeError('the network lost it')
        hasActed = plan.acts
        return server.answer(endpoint, accessToken)
      }

      const answer = bearerRequest<Answer>(target, {
        send: (authorization, abort) => send(authorization, abort as AbortSignal | undefined),
        async challenge(given) {
          await sleep(clock, challengeTakes())
          return challengeOf(given)
        },
        reply: ({ status }) => ({ status, header: () => null }),
        replayable: plan.replayable,
        hasActed: () => hasActed,
        abortable: features.abortable,
        key: () => endpoint,
        method: 'GET',
        url: `https://api.example.com/${endpoint}`,
        signal: caller.signal,
        timeout,
      })
      answer.catch((error: { readonly code?: string }) => {
        if (error.code !== 'hold_timeout' || timeout !== undefined) return
        const waitsForSignIn = features.whenExpired === 'hold' && !(auth.session && target.session)
        if (!waitsForSignIn) faults.push(`a hold timed out while nothing was wrong: ${endpoint}`)
      })
      const watched = watch(`a request to ${endpoint}`, answer)
      if (abortedAfter !== undefined) void abortAfter(abortedAfter)
      return watched

      async function abortAfter(delay: number) {
        await sleep(clock, delay)
        caller.abort(new Error('The caller aborted'))
        // Some answers take that long to read.
        await sleep(clock, 5)
        if (watched.state === 'pending') faults.push(`a caller who aborted still waits: ${endpoint}`)
      }
    },
    /** Checks that everything has settled. */
    assertSettled(when: string) {
      const pending = all.filter(({ state }) => state === 'pending')
      expect(pending, `pending ${when}`).toEqual([])
    },
  }
}

async function untilAborted(work: Promise<void>, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  const aborted = signals.map(
    (signal) =>
      new Promise<never>((_, reject) => {
        if (signal?.aborted) reject(signal.reason)
        signal?.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  await Promise.race([work, ...aborted])
}
