import { checkFunction } from './checks.ts'
import { type ApiVerdict, heldApiRequest } from './held.ts'
import { createHold, type Hold } from './hold.ts'
import type { TokenServerScript } from './script.ts'
import type { TokenServerRequest } from './types.ts'
import type { Waits } from './waits.ts'

interface Entry {
  readonly matches: (request: TokenServerRequest) => boolean
  readonly hold: Hold<ApiVerdict>
}

/** The holds of the API, each for one request. */
export interface ApiHolds {
  readonly holdApiNext: TokenServerScript['holdApiNext']
  readonly pending: number
  /** The first hold that is meant for the request, taken out. */
  take(request: TokenServerRequest): Hold<ApiVerdict> | undefined
  clear(): void
}

export const createApiHolds = (waits: Waits): ApiHolds => {
  const queue: Entry[] = []

  /** An assertion that fails inside a predicate belongs to the test that waits, not to the request. */
  const isMeant = (entry: Entry, request: TokenServerRequest): boolean => {
    try {
      return entry.matches(request)
    } catch (error) {
      queue.splice(queue.indexOf(entry), 1)
      entry.hold.abandon(error)
      return false
    }
  }

  return {
    holdApiNext: (matches = () => true) => {
      checkFunction('holdApiNext: matches', matches)
      const hold = createHold<ApiVerdict>(waits)
      queue.push({ matches, hold })
      return heldApiRequest(hold)
    },
    get pending() {
      return queue.length
    },
    take: (request) => {
      const meant = [...queue].find((entry) => isMeant(entry, request))
      if (meant) queue.splice(queue.indexOf(meant), 1)
      return meant?.hold
    },
    clear: () => {
      const reason = new Error('The hold was cleared away before its request came.')
      for (const { hold } of queue.splice(0)) hold.abandon(reason)
    },
  }
}
