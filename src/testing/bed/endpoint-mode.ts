import type { Endpoint } from '../model/model-options.ts'
import type { HeldTokenRequest, TokenServer, TokenServerRequest } from '../token-server/token-server.ts'

/** Sets how a token server answers at its token endpoint, until the mode changes again. */
export interface EndpointMode {
  /** How token requests are answered now. Change it with `set`. */
  readonly mode: Endpoint
  /** Token requests that wait for an answer, in the order of arrival. */
  readonly waiting: readonly TokenServerRequest[]
  /** Resolves immediately, or, in the mode `'holds'`, when the mode changes. */
  untilAnswered(): Promise<void>
  /** Changes the mode and answers waiting requests in the new mode, in the order of arrival. Awaits `settled` after each. */
  set(mode: Endpoint, settled: () => Promise<void>): Promise<void>
}

export function createEndpointMode(server: TokenServer, retryAfter: number): EndpointMode {
  let mode: Endpoint = 'answers'
  const waiting: { readonly held: HeldTokenRequest; readonly request: TokenServerRequest }[] = []
  let answered = Promise.resolve()
  let resume = () => {}

  function holdNext() {
    const held = server.holdNext()
    held.arrived.then(
      (request) => {
        waiting.push({ held, request })
        if (mode === 'holds') holdNext()
      },
      // The hold was cleared, because the mode is not 'holds' any more.
      () => {},
    )
  }

  const tooMany = { status: 429, headers: { 'retry-after': String(retryAfter / 1000) } }
  const schedule = {
    answers: () => {},
    fails: () => server.failNext(Number.POSITIVE_INFINITY),
    limits: () => server.failNext(Number.POSITIVE_INFINITY, tooMany),
    loses: () => server.dropAnswerNext(Number.POSITIVE_INFINITY),
    holds: holdNext,
  }
  const answer = {
    answers: (held: HeldTokenRequest) => held.answer(),
    fails: (held: HeldTokenRequest) => held.fail(),
    limits: (held: HeldTokenRequest) => held.fail(tooMany),
    loses: (held: HeldTokenRequest) => held.dropAnswer(),
    holds: () => {},
  }

  return {
    get mode() {
      return mode
    },
    get waiting() {
      return waiting.map(({ request }) => request)
    },
    untilAnswered: () => answered,
    async set(next, settled) {
      mode = next
      server.clearScripts()
      schedule[next]()
      if (next === 'holds') {
        answered = new Promise((resolve) => {
          resume = resolve
        })
        return
      }
      resume()
      for (let first = waiting.shift(); first; first = waiting.shift()) {
        answer[next](first.held)
        await settled()
      }
    },
  }
}
