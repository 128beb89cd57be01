import { checkCount, checkWait, wrongKind } from './checks.ts'
import { heldTokenRequest } from './held.ts'
import { createHold } from './hold.ts'
import { type Act, checkStatus, dropped, failed, jsonReply, malformed, type TokenReply } from './replies.ts'
import type { TokenServerRequest } from './requests.ts'
import type { TokenServerScript } from './script.ts'
import type { Waits } from './waits.ts'

interface Entry {
  readonly reply: TokenReply
  /** The number of requests that this entry still serves. */
  remaining: number
  /** Rejects the test's wait for a request. */
  readonly abandon?: () => void
}

type FaultScript = Omit<TokenServerScript, 'holdApiNext' | 'pendingScripts' | 'clearScripts'>

/** The scripted faults of the token endpoint and of sign-ins. */
export interface Faults {
  readonly script: FaultScript
  /** The number of requests that still have a scripted fault. */
  readonly pending: number
  /** Lets the next scripted fault decide whether and when `act` runs. Without a fault, runs it synchronously. */
  run(act: Act, request: TokenServerRequest): Promise<Response>
  clear(): void
}

export const createFaults = (waits: Waits): Faults => {
  const queue: Entry[] = []
  let tokenDelay = 0

  const push = (method: string, n: number, reply: TokenReply): void => {
    if (checkCount(`${method}: n`, n) > 0) queue.push({ reply, remaining: n })
  }

  const take = (): TokenReply => {
    const entry = queue[0]
    if (!entry) return (act) => act()
    entry.remaining -= 1
    if (entry.remaining <= 0) queue.shift()
    return entry.reply
  }

  const script: FaultScript = {
    failNext: (n = 1, failure) => push('failNext', n, failed('failNext', failure)),
    retryAfterNext: (value, status = 429) => {
      checkStatus('retryAfterNext: status', status)
      if (typeof value !== 'string' && typeof value !== 'number') {
        throw wrongKind('retryAfterNext: value', 'a number or a string', value)
      }
      const headers = { 'retry-after': String(value) }
      push('retryAfterNext', 1, () => jsonReply(status, { error: 'temporarily_unavailable' }, headers))
    },
    hangNext: (n = 1) => push('hangNext', n, () => waits.forever()),
    dropNext: (n = 1) => push('dropNext', n, dropped),
    dropAnswerNext: (n = 1) =>
      push('dropAnswerNext', n, (act) => {
        act()
        return dropped()
      }),
    delayNext: (ms, n = 1) => {
      checkWait('delayNext: ms', ms)
      push('delayNext', n, async (act) => {
        await waits.time(ms)
        return act()
      })
    },
    delayAnswerNext: (ms, n = 1) => {
      checkWait('delayAnswerNext: ms', ms)
      push('delayAnswerNext', n, async (act) => {
        const reply = act()
        await waits.time(ms)
        return reply
      })
    },
    malformNext: (kind, n = 1) => push('malformNext', n, malformed('malformNext', kind)),
    holdNext: (n = 1) => {
      const remaining = checkCount('holdNext: n', n, 1, Number.MAX_SAFE_INTEGER)
      const hold = createHold<TokenReply>(waits, remaining)
      queue.push({
        reply: (act, request) => hold.take(request, (reply) => reply(act, request)),
        remaining,
        abandon: () => hold.abandon(new Error('The hold was cleared before its request arrived.')),
      })
      return heldTokenRequest(hold)
    },
    get tokenDelay() {
      return tokenDelay
    },
    set tokenDelay(ms) {
      tokenDelay = checkWait('tokenDelay', ms)
    },
  }

  return {
    script,
    get pending() {
      return queue.reduce((sum, { remaining }) => sum + remaining, 0)
    },
    run: async (act, request) => {
      // Take it before any wait, so that requests get their faults in the order of arrival.
      const reply = take()
      if (tokenDelay > 0) await waits.time(tokenDelay)
      return reply(act, request)
    },
    clear: () => {
      for (const { abandon } of queue.splice(0)) abandon?.()
      tokenDelay = 0
    },
  }
}
