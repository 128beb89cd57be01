import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import type { BearerRequest } from '../../src/core/requests/transport-request.ts'
import { createHarness, type Harness, type HarnessOptions, SECRET, watch } from './auth-setup.ts'

export interface Answer {
  readonly status: number
  readonly body?: string
}

export const bearer = (n: number) => `Bearer ${SECRET}-at-${n}`
export const OK: Answer = { status: 200 }
export const UNAUTHORIZED: Answer = { status: 401 }

/** A server in this process, whose answers the test gives request by request. */
function requestsTo({ auth, clock }: Harness) {
  const sent: {
    authorization: string | undefined
    key: string
    answer: (answer: Answer) => Promise<void>
    fail: (error: unknown) => Promise<void>
  }[] = []
  const discarded: Answer[] = []
  return {
    sent,
    discarded,
    send(key = 'GET /', more: Partial<BearerRequest<Answer>> = {}) {
      return watch(
        bearerRequest<Answer>(auth, {
          send: (authorization, abort) =>
            new Promise((resolve, reject) => {
              abort?.addEventListener('abort', () => reject(abort.reason))
              sent.push({
                authorization,
                key,
                answer(answer) {
                  resolve(answer)
                  return clock.advance(0)
                },
                fail(error) {
                  reject(error)
                  return clock.advance(0)
                },
              })
            }),
          challenge: ({ status, body }) =>
            status === 401 ? 'refresh' : status === 403 ? { scope: body ?? '' } : undefined,
          replayable: true,
          key: () => key,
          discard: (answer) => void discarded.push(answer),
          ...more,
        }),
      )
    },
  }
}

/** A signed-in session and a way to send its requests. */
export function started(options: HarnessOptions = {}) {
  const made = createHarness(options)
  return { ...made, ...requestsTo(made) }
}
