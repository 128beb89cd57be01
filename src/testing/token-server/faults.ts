import { checkCount, checkWait, wrongKind } from './checks.ts'
import { type Act, checkStatus, dropped, failed, malformed, type Step } from './fates.ts'
import { heldTokenRequest } from './held.ts'
import { createHold } from './hold.ts'
import { jsonReply } from './replies.ts'
import type { TokenServerScript } from './script.ts'
import type { TokenServerRequest } from './types.ts'
import type { Waits } from './waits.ts'

interface Entry {
  readonly step: Step
  left: number
  /** Tells whoever waits for a request that none will come. */
  readonly abandon?: () => void
}

type FaultScript = Omit<TokenServerScript, 'holdApiNext' | 'pendingScripts' | 'clearScripts'>

/** The scripted faults of the token endpoint. */
export interface Faults {
  readonly script: FaultScript
  /** Requests that have something scripted for them. */
  readonly pending: number
  /** Lets the next scripted fault decide whether and when `act` runs. Runs it synchronously without one. */
  run(act: Act, request: TokenServerRequest): Promise<Response>
  clear(): void
}

export const createFaults = (waits: Waits): Faults => {
  const queue: Entry[] = []
  let tokenDelay = 0

  const push = (method: string, n: number, step: Step): void => {
    if (checkCount(`${method}: n`, n) > 0) queue.push({ step, left: n })
  }

  const take = (): Step => {
    const entry = queue[0]
    if (!entry) return (act) => act()
    entry.left -= 1
    if (entry.left <= 0) queue.shift()
    return entry.step
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
      const left = checkCount('holdNext: n', n, 1, Number.MAX_SAFE_INTEGER)
      const hold = createHold<Step>(waits, left)
      queue.push({
        step: (act, request) => hold.take(request, (step) => step(act, request)),
        left,
        abandon: () => hold.abandon(new Error('The hold was cleared away before its request came.')),
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
      return queue.reduce((sum, { left }) => sum + left, 0)
    },
    run: async (act, request) => {
      // Taken before any wait, so that faults go to requests in the order of their arrival.
      const step = take()
      if (tokenDelay > 0) await waits.time(tokenDelay)
      return step(act, request)
    },
    clear: () => {
      for (const { abandon } of queue.splice(0)) abandon?.()
      tokenDelay = 0
    },
  }
}
