import { checkFunction } from './checks.ts'
import { type ApiReply, heldApiRequest } from './held.ts'
import { createHold, type Hold } from './hold.ts'
import type { TokenServerRequest } from './requests.ts'
import type { TokenServerScript } from './script.ts'
import type { Waits } from './waits.ts'

interface Entry {
  readonly matches: (request: TokenServerRequest) => boolean
  readonly hold: Hold<ApiReply>
}

/** The holds for API requests. Each hold takes one request. */
export interface ApiHolds {
  readonly holdApiNext: TokenServerScript['holdApiNext']
  readonly pending: number
  /** Removes and returns the first hold that matches the request. */
  take(request: TokenServerRequest): Hold<ApiReply> | undefined
  clear(): void
}

export const createApiHolds = (waits: Waits): ApiHolds => {
  const queue: Entry[] = []

  const matches = (entry: Entry, request: TokenServerRequest): boolean => {
    try {
      return entry.matches(request)
    } catch (error) {
      // An assertion that fails inside a predicate must fail the waiting test, not the request.
      queue.splice(queue.indexOf(entry), 1)
      entry.hold.abandon(error)
      return false
    }
  }

  return {
    holdApiNext: (predicate = () => true) => {
      checkFunction('holdApiNext: matches', predicate)
      const hold = createHold<ApiReply>(waits)
      queue.push({ matches: predicate, hold })
      return heldApiRequest(hold)
    },
    get pending() {
      return queue.length
    },
    take: (request) => {
      const found = [...queue].find((entry) => matches(entry, request))
      if (found) queue.splice(queue.indexOf(found), 1)
      return found?.hold
    },
    clear: () => {
      const reason = new Error('The hold was cleared before its request arrived.')
      for (const { hold } of queue.splice(0)) hold.abandon(reason)
    },
  }
}
