import type { Turn, TurnWait } from '../core/ports.ts'
import type { NodeFile } from '../environment/node.ts'
import type { AwaitedAnswer } from './awaited-answer.ts'
import type { HeldLock } from './file-lock.ts'
import { type FileMark, readMark, removeMark, writeMark } from './file-mark.ts'
import { hasExited, type LockOwner, thisProcess } from './lock-owner.ts'
import { pause, startLockTimeout } from './lock-timeout.ts'

/** How often a process looks whether an awaited answer was stored, in milliseconds. */
export const LOOK = 100
/** Default of `TurnWait.patience`, in milliseconds. */
const PATIENCE = 12_000

/** The turn of a process that holds the lock of a file. */
export interface FileTurn extends Turn {
  release(): Promise<void>
}

/**
 * Makes a turn of a lock that is held. If another process presented a refresh token and is still there, its answer is awaited
 * first.
 *
 * @param by a random name of this coordinator
 * @throws DOMException named `TimeoutError`, or the reason of `wait.signal`
 */
export async function fileTurn(
  place: NodeFile,
  lock: HeldLock,
  by: string,
  wait: TurnWait,
  awaited: AwaitedAnswer<string>,
): Promise<FileTurn> {
  const self = await thisProcess(place)
  const interrupted = await awaitAnswer(place, self, by, wait, awaited)
  let end = 0
  let isSettled = false
  return {
    fence: lock.number,
    ...(interrupted && { interrupted: { rotation: interrupted.rotation } }),
    async present({ rotation }) {
      isSettled = false
      const asked = performance.now()
      if (!(await lock.isLast())) return false
      writeMark(place, { rotation, by, owner: self })
      // It may have been taken over meanwhile.
      if (!(await lock.isLast())) return false
      end = asked + lock.staleAfter
      return true
    },
    holds: () => performance.now() < end,
    settle() {
      isSettled = true
    },
    async release() {
      if (isSettled && readMark(place)?.by === by) removeMark(place)
      await lock.release()
    },
  }
}

/** Resolves to the mark if its answer did not come. */
async function awaitAnswer(
  place: NodeFile,
  self: LockOwner,
  by: string,
  { signal, timeout, patience = PATIENCE }: TurnWait,
  awaited: AwaitedAnswer<string>,
): Promise<FileMark | undefined> {
  const wait = startLockTimeout({ signal, timeout })
  try {
    while (true) {
      const mark = readMark(place)
      if (!mark || mark.by === by) return undefined
      awaited.look(JSON.stringify(mark))
      const isGone = mark.owner && (await hasExited(place.fs, mark.owner, self))
      if (isGone || awaited.longerThan(patience)) return mark
      await pause(LOOK, wait.signal)
      wait.signal.throwIfAborted()
    }
  } finally {
    wait.end()
  }
}
