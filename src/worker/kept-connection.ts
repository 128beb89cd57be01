import { systemClock } from '../environment/clock.ts'
import { report } from '../environment/report.ts'
import { createBackoff } from './backoff.ts'
import { type AuthWorker, type ConnectionOptions, openConnection } from './connection.ts'

export interface KeptConnectionOptions extends Omit<ConnectionOptions, 'onDied'> {
  /** Called before each new connection. */
  readonly onReplaced: () => void
}

/**
 * Connects a page to a worker. If the worker can be created again, a new connection follows one that has died: at once, and
 * after growing waits if that happens again.
 */
export function keepConnection(worker: AuthWorker | (() => AuthWorker), options: KeptConnectionOptions) {
  const { onReplaced, ...others } = options
  const backoff = createBackoff()
  let timer: unknown
  let next: Promise<void> | undefined
  let resolveNext = () => {}

  const connect = () =>
    openConnection(typeof worker === 'function' ? worker() : worker, { ...others, onDied: connectAgain })

  function connectAgain() {
    if (typeof worker !== 'function') return
    next ??= new Promise((resolve) => {
      resolveNext = resolve
    })
    timer = systemClock.setTimeout(() => {
      onReplaced()
      try {
        connection = connect()
        resolveNext()
        next = undefined
      } catch (error) {
        report(error)
        connectAgain()
      }
    }, backoff.next())
  }

  let connection = connect()

  return {
    /** The last connection. It may have failed. */
    get current() {
      return connection
    },
    /** After a connection has died: resolves when the next one is there. `undefined` if none will follow. */
    get next() {
      return next
    },
    close() {
      systemClock.clearTimeout(timer)
      resolveNext()
      connection.close()
    },
  }
}
