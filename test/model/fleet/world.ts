/**
 * The protocol of a fleet as an abstract model that is small enough to visit every state: processes that share one session, a
 * database that may fall back to an earlier state, and a server that rotates refresh tokens and revokes a session when a spent one
 * comes back. It repeats the rules of `src/fleet/fleet.ts` and imports nothing of `src`.
 *
 * A step is what happens between two moments at which a process can be stopped. A process that is stopped is one that takes no
 * step for a while, so every order of steps covers every stop. Only patience is about time: see `impatient` in `steps.ts`.
 */

/** What a process is doing. */
export type Phase =
  | 'idle'
  /** It wants a new token, and waits for the turn. */
  | 'waiting'
  /** It has the turn. */
  | 'granted'
  /** It has the turn of a server that may have lost something, and has asked the other processes. */
  | 'asking'
  /** It knows what the database holds. */
  | 'ready'
  /** The mark is set. */
  | 'presented'
  /** The refresh token has left. */
  | 'sent'
  /** The answer is here. */
  | 'answered'

export interface Process {
  phase: Phase
  /** The newest tokens it knows, by how often they were refreshed. */
  held: number
  /** The fence of its last turn. */
  fence: number
  /** It has awaited the answer to the token that was marked with this number, long enough. */
  awaited: number
  /** What the server answered: the tokens that are on their way. */
  answer: number
}

export interface Store {
  record: number
  fence: number
  owner: number
  /** The lease of the owner has ended. */
  lapsed: boolean
  mark: { rotation: number; by: number; at: number } | null
  /** The record was written to another server than this one. */
  suspect: boolean
}

export interface World {
  server: { newest: number; active: boolean }
  store: Store
  /** The database before its last change, and before its last change of the record. */
  past: Store
  pastRecord: Store
  processes: Process[]
  /** How often each event may still happen that the protocol does not cause. */
  budget: Budget
  /** Numbers the marks. */
  marks: number
  /** A process crashed or was stopped for long after it presented a token, and before the answer was stored. */
  answerLost: boolean
}

export interface Budget {
  refreshes: number
  lapses: number
  crashes: number
  fallbacks: number
  /** A process is stopped for longer than others await its answer while they are awake. */
  longStops: number
}

/** The protections of the protocol, each of which a test removes. */
export interface Rules {
  /** The database checks at `present` whose turn was the last. */
  fence: boolean
  /** A token that leaves is marked, and its answer is awaited. */
  mark: boolean
  /** A wait is about one mark: not about another one that was set meanwhile. */
  sameMark: boolean
  /** The database compares what it replaces. */
  compare: boolean
  /** What is stored is read after the turn was acquired, and looked at once more when the token is marked. */
  reread: boolean
  /** The time of a wait counts only as far as the process was awake. */
  awake: boolean
  /** Processes write back what the database has lost, and are asked for it. */
  writeBack: boolean
  /** A process that is asked also says that it awaits an answer. */
  saysPresented: boolean
}

export const ALL_RULES: Rules = {
  fence: true,
  mark: true,
  sameMark: true,
  compare: true,
  reread: true,
  awake: true,
  writeBack: true,
  saysPresented: true,
}

export interface Setting {
  readonly processes: number
  readonly budget: Partial<Budget>
  /** The server forgives the last spent token once more. */
  readonly grace?: boolean
  readonly rules?: Partial<Rules>
}

export function initialWorld({ processes, budget }: Setting): World {
  const store: Store = { record: 1, fence: 0, owner: -1, lapsed: false, mark: null, suspect: false }
  return {
    server: { newest: 1, active: true },
    store,
    past: store,
    pastRecord: store,
    processes: Array.from({ length: processes }, () => ({
      phase: 'idle' as const,
      held: 1,
      fence: 0,
      awaited: 0,
      answer: 0,
    })),
    budget: { refreshes: 0, lapses: 0, crashes: 0, fallbacks: 0, longStops: 0, ...budget },
    marks: 0,
    answerLost: false,
  }
}
