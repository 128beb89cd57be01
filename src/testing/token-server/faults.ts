import type { Delays } from './delays.ts'
import { ConnectionDropped, jsonReply, textReply } from './replies.ts'
import type { MalformedAnswer, TokenServerScript } from './types.ts'

type Act = () => Response
type Step = (act: Act) => Response | Promise<Response>

/** The scripted faults of the token endpoint. */
export interface Faults {
  readonly script: TokenServerScript
  /** Lets the next scripted fault decide whether and when `act` runs. Runs it synchronously without one. */
  run(act: Act): Promise<Response>
}

const MALFORMED: Readonly<Record<MalformedAnswer, () => Response>> = {
  html: () =>
    textReply(200, '<!doctype html><title>Sign in to this network</title>', { 'content-type': 'text/html' }),
  'bad-json': () => textReply(200, '{"access_token":"at-cut-', { 'content-type': 'application/json' }),
  'no-access-token': () => jsonReply(200, { token_type: 'Bearer', expires_in: 3600 }),
  empty: () => textReply(200, '', { 'content-type': 'application/json' }),
}

const drop = (): never => {
  throw new ConnectionDropped('The token server dropped the connection')
}

export const createFaults = (delays: Delays): Faults => {
  const queue: { readonly step: Step; left: number }[] = []
  let tokenDelay = 0

  const push = (n: number, step: Step): void => {
    if (n > 0) queue.push({ step, left: n })
  }

  const take = (): Step => {
    const entry = queue[0]
    if (!entry) return (act) => act()
    entry.left -= 1
    if (entry.left <= 0) queue.shift()
    return entry.step
  }

  const script: TokenServerScript = {
    failNext: (n, failure = {}) => {
      const { status = 500, headers = {} } = failure
      const { body = { error: status >= 500 ? 'server_error' : 'invalid_request' } } = failure
      push(n, () => (typeof body === 'string' ? textReply : jsonReply)(status, body as string, headers))
    },
    retryAfterNext: (value, status = 429) => {
      push(1, () => jsonReply(status, { error: 'temporarily_unavailable' }, { 'retry-after': String(value) }))
    },
    hangNext: (n) => push(n, () => delays.forever()),
    dropNext: (n) => push(n, drop),
    dropAnswerNext: (n) =>
      push(n, (act) => {
        act()
        return drop()
      }),
    delayNext: (ms, n = 1) =>
      push(n, async (act) => {
        await delays.wait(ms)
        return act()
      }),
    delayAnswerNext: (ms, n = 1) =>
      push(n, async (act) => {
        const reply = act()
        await delays.wait(ms)
        return reply
      }),
    malformNext: (kind, n = 1) => push(n, MALFORMED[kind]),
    get tokenDelay() {
      return tokenDelay
    },
    set tokenDelay(ms) {
      tokenDelay = ms
    },
  }

  return {
    script,
    run: async (act) => {
      // Taken before any wait, so that faults go to requests in the order of their arrival.
      const step = take()
      if (tokenDelay > 0) await delays.wait(tokenDelay)
      return step(act)
    },
  }
}
