import type { Kernel } from '../kernel.ts'
import { Mutex } from '../platform/mutex.ts'
import type { Turn, TurnWait } from '../ports.ts'
import { type GuardedTurn, isTurn } from './guarded-turn.ts'
import { RefreshLock } from './refresh-lock.ts'
import type { LockedAttempt, SessionParts, Turns } from './sharing.ts'

/** The turn of a coordinator that gives a simple lock. */
const LOCK_ONLY: Turn = {
  fence: 0,
  present: async () => true,
  holds: () => true,
  settle() {},
}

/**
 * The branches of one session. They present the refresh token of the session, each in a turn of its own, so that it is
 * presented once at a time: by the session, by a branch, or by another tab or process.
 */
export class Branches {
  readonly #kernel: Kernel
  readonly #turns: Turns | undefined
  /** Some coordinators give each process one turn, whatever asks for it there. */
  readonly #mutex = new Mutex()
  readonly #lock: RefreshLock
  /** Attempts of branches that wait for their turn, or run in it. */
  #attempts = 0
  /** The last attempt of the session itself. It may run without the lock, if the lock could not be had. */
  #own: Promise<unknown>
  /** The rotation whose refresh token was presented, until it is known what came of it. */
  #presented: number | undefined
  readonly #disposals = new Set<() => void>()

  /** @param running the attempt of the session that runs already */
  constructor({ kernel, sharing }: SessionParts, running: Promise<unknown>) {
    this.#kernel = kernel
    this.#turns = sharing.turns
    this.#own = running
    this.#lock = new RefreshLock(kernel, this.#turnsOfSession())
  }

  /** The turns of the session itself, in place of those of its `Sharing`. */
  withLock<T>(attempt: LockedAttempt<T>): Promise<T> {
    const run = (turn?: GuardedTurn) => {
      const attempted = attempt.run(turn)
      this.#own = attempted.catch(() => {})
      return attempted
    }
    return this.#lock.refresh({ ...attempt, run })
  }

  /** The turns of one branch. A branch never refreshes without the lock: its session may be refreshing. */
  createLock(): RefreshLock {
    return new RefreshLock(this.#kernel, {
      lock: 'required',
      exclusive: async (name, task, wait) => {
        this.#attempts++
        try {
          return await this.#exclusive(name, (turn) => this.#own.then(() => task(turn)), wait)
        } finally {
          this.#attempts--
        }
      },
    })
  }

  /** Adds what disposes of a branch. Returns a function that removes it. */
  add(dispose: () => void): () => void {
    this.#disposals.add(dispose)
    return () => this.#disposals.delete(dispose)
  }

  /** The session was disposed. */
  dispose(reason: unknown): void {
    for (const dispose of this.#disposals) dispose()
    this.#lock.dispose(reason)
  }

  #turnsOfSession(): Turns {
    const isTaken = () => this.#attempts > 0
    const turns = this.#turns
    return {
      // The session may go on without the lock of another tab, but not while one of its own branches has it.
      get lock() {
        return isTaken() ? 'required' : (turns?.lock ?? 'preferred')
      },
      exclusive: (name, task, wait) => this.#exclusive(name, task, wait),
    }
  }

  #exclusive<T>(name: string, task: (turn: Turn) => Promise<T>, wait: TurnWait): Promise<T> {
    const inTurn = (given?: unknown) => task(this.#marked(given))
    return this.#mutex.run(() => {
      if (wait.signal.aborted) throw wait.signal.reason
      return this.#turns ? this.#turns.exclusive(name, inTurn, wait) : inTurn()
    })
  }

  /** A turn that knows what this process has presented. Only some coordinators know that by themselves. */
  #marked(given: unknown): Turn {
    const turn = isTurn(given) ? given : LOCK_ONLY
    const presented = this.#presented
    const interrupted = turn.interrupted ?? (presented === undefined ? undefined : { rotation: presented })
    let hasPresented = false
    return {
      fence: turn.fence,
      ...(interrupted && { interrupted }),
      present: async (presented) => {
        const isOurs = await turn.present(presented)
        if (isOurs) {
          this.#presented = presented.rotation
          hasPresented = true
        }
        return isOurs
      },
      holds: () => turn.holds(),
      settle: () => {
        // An attempt that presents nothing because of a doubt does not end the doubt: others must not present the token either.
        if (!hasPresented) return
        this.#presented = undefined
        turn.settle()
      },
    }
  }
}
