import type { Endpoint } from '../model/model-state.ts'
import type { HeldTokenRequest, TokenServer, TokenServerRequest } from '../token-server/token-server.ts'

/** Switches how a token server takes requests at its token endpoint, for as long as nobody says otherwise. */
export interface EndpointMode {
  readonly mode: Endpoint
  /** Token requests that wait to be answered, in the order they came. */
  readonly waiting: readonly TokenServerRequest[]
  /** Resolves at once, unless requests are kept waiting: then when they are not any more. */
  untilAnswered(): Promise<void>
  /** Requests that wait are answered in the new way, in the order they came; `settled` is awaited after each. */
  set(mode: Endpoint, settled: () => Promise<void>): Promise<void>
}

export function createEndpointMode(server: TokenServer, retryAfter: number): EndpointMode {
  let mode: Endpoint = 'answers'
  const waiting: { readonly held: HeldTokenRequest; readonly request: TokenServerRequest }[] = []
  let open = Promise.resolve()
  let opens = () => {}

  function holdNext() {
    const held = server.holdNext()
    held.arrived.then(
      (request) => {
        waiting.push({ held, request })
        if (mode === 'holds') holdNext()
      },
      // Cleared away, because the endpoint does not hold any more.
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
  const letGo = {
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
    untilAnswered: () => open,
    async set(next, settled) {
      mode = next
      server.clearScripts()
      schedule[next]()
      if (next === 'holds') {
        open = new Promise((resolve) => {
          opens = resolve
        })
        return
      }
      opens()
      for (let first = waiting.shift(); first; first = waiting.shift()) {
        letGo[next](first.held)
        await settled()
      }
    },
  }
}
