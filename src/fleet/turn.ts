import type { AwaitedAnswer } from '../coordination/awaited-answer.ts'
import { pause, startLockTimeout } from '../coordination/lock-timeout.ts'
import { unref } from '../core/platform/unref.ts'
import type { Turn, TurnWait } from '../core/ports.ts'
import type { Acquired, Fleet, Holder } from './fleet.ts'

/** How often a process looks whether the turn is free, in milliseconds, if it is not notified before. */
const POLL = 500
/** How much the time between two looks may count of the time that an answer is awaited, in milliseconds. */
export const LONGEST_LOOK = 1.5 * POLL
/** How long a process waits for the end of a turn after what was refreshed in it, in milliseconds. */
const ADOPT = 100
/** Processes that were notified together look again within so many milliseconds, one after another. */
const SPREAD = 20
/** How long other processes have to write back newer tokens to a server that may have lost them, in milliseconds. */
const WRITE_BACK = 2_500
/** How often they are asked, in milliseconds: one of them may only be about to receive messages again. */
const ASK_EVERY = 500
/** Default of `TurnWait.patience`, in milliseconds. */
export const PATIENCE = 12_000

/** The message that asks all processes to compare the session they hold with the stored one. */
const ASK = 'ask'

/** The message that a turn has ended. */
const FREE = 'free'

/** The answer to it from a process that awaits the answer to a refresh token. */
const PRESENTED = 'presented'

/** A turn that was acquired. */
export interface FleetTurn extends Turn {
  /** Ends the turn. Never rejects: if the database cannot be reached, the lease ends it. */
  release(): Promise<void>
}

/**
 * Waits for the turn of a key. If another process has presented a refresh token, its answer is awaited first.
 *
 * @param owner a random name of this process
 * @param awaited what an earlier wait of this process for the same key has seen
 * @throws DOMException named `TimeoutError`, or `AbortError` if the turn is not wanted any more; the reason of `wait.signal`, or the error of the database
 */
export async function takeTurn(
  fleet: Fleet,
  key: string,
  owner: string,
  { signal, timeout, patience = PATIENCE, isWanted = () => true }: TurnWait,
  awaited: AwaitedAnswer<number>,
): Promise<FleetTurn> {
  const wait = startLockTimeout({ signal, timeout })
  let wake = (_delay: number) => {}
  // What another process refreshed has to be adopted first. Then the turn is not wanted any more.
  const stop = fleet.subscribe(key, (message) => wake(message === FREE ? 0 : ADOPT))
  try {
    while (true) {
      wait.signal.throwIfAborted()
      if (!isWanted()) throw new DOMException('The turn is not wanted any more.', 'AbortError')
      // Created before the attempt, so that a message during the attempt is not missed.
      const message = new Promise<number>((resolve) => {
        wake = resolve
      })
      const asked = performance.now()
      const { lease } = fleet
      const acquire = () => fleet.acquire(key, owner, awaited.longerThan(patience), lease)
      const [first, took] = await timed(acquire())
      let acquired = first
      if (acquired.result === 'granted' && acquired.isSuspect)
        acquired = await askOthers(fleet, key, patience, wait.signal, acquire, acquired)
      if (acquired.result === 'granted') {
        const turn = turnOf(fleet, key, { fence: acquired.fence, owner }, acquired, asked + lease, patience)
        if (!wait.signal.aborted && isWanted()) return turn
        await turn.release()
      } else {
        awaited.look(acquired.markedAt, took)
        await nextLook(message, wait.signal)
      }
    }
  } finally {
    wait.end()
    stop()
  }
}

/** Waits for a call of the database, and measures how long it takes while this process is awake, in milliseconds. */
async function timed<T>(call: Promise<T>): Promise<readonly [answer: T, took: number]> {
  let took = 0
  let before = performance.now()
  const measure = () => {
    const now = performance.now()
    took += Math.min(now - before, LONGEST_LOOK)
    before = now
  }
  const timer = unref(setInterval(measure, POLL))
  try {
    const answer = await call
    measure()
    return [answer, took]
  } finally {
    clearInterval(timer)
  }
}

/**
 * The store may have lost what another process wrote last: then that process writes it again. It may also have lost the mark of a
 * token that was presented: then its answer is awaited here.
 *
 * @param acquire makes the turn longer
 * @returns the last of `acquire`
 */
async function askOthers(
  fleet: Fleet,
  key: string,
  patience: number,
  signal: AbortSignal,
  acquire: () => Promise<Acquired>,
  granted: Acquired,
): Promise<Acquired> {
  let acquired = granted
  let isDue = true
  const stop = fleet.subscribe(key, (message) => {
    if (message === PRESENTED) isDue = true
  })
  try {
    for (let asked = 0; isDue && asked * WRITE_BACK <= patience && !signal.aborted; asked++) {
      isDue = false
      const end = performance.now() + WRITE_BACK
      while (performance.now() < end && !signal.aborted) {
        await fleet.publish(key, ASK)
        await pause(Math.min(ASK_EVERY, fleet.lease / 2), signal)
        acquired = await acquire()
        if (acquired.result === 'held') return acquired
      }
    }
  } finally {
    stop()
  }
  return acquired
}

async function nextLook(message: Promise<number>, signal: AbortSignal): Promise<void> {
  const timer = new AbortController()
  const spread = message.then((delay) => pause(delay + Math.random() * SPREAD, signal))
  // With a reason, because the default one is costly.
  const end = () => timer.abort(null)
  signal.addEventListener('abort', end)
  await Promise.race([spread, pause(POLL * (1 + Math.random() / 10), timer.signal)])
  signal.removeEventListener('abort', end)
  end()
}

function turnOf(
  fleet: Fleet,
  key: string,
  holder: Holder,
  { interrupted }: Extract<Acquired, { result: 'granted' }>,
  firstEnd: number,
  patience: number,
): FleetTurn {
  let end = firstEnd
  let isSettled = false
  let stop = () => {}
  const answer = (message: string) => {
    if (message === ASK && !isSettled) fleet.publish(key, PRESENTED).catch(() => {})
  }
  return {
    fence: holder.fence,
    ...(interrupted !== undefined && { interrupted: { rotation: interrupted } }),
    async present(presented) {
      // From now on the mark keeps others from presenting the token. If this process vanishes, they need not wait longer than for its
      // answer. At least a third of the lease, so that the answer to this call arrives before it ends.
      const lease = Math.max(Math.min(fleet.lease, patience), fleet.lease / 3)
      const asked = performance.now()
      isSettled = false
      stop()
      stop = fleet.subscribe(key, answer)
      const isOurs = await fleet.present(key, holder, presented, lease)
      end = isOurs ? asked + lease : 0
      return isOurs
    },
    holds: () => performance.now() < end,
    settle() {
      isSettled = true
    },
    release() {
      stop()
      return fleet.release(key, holder, isSettled).catch(() => {})
    },
  }
}
