import { patientClock } from '../environment/clock.ts'
import { isPrerendered } from '../environment/prerendered.ts'
import { whenReleased } from './liveness.ts'

export interface WorkerWatchOptions {
  /** How long the worker may take to respond, in milliseconds. */
  readonly timeout: number
  /** Asks the worker for an answer. */
  readonly ping: () => void
  /** Whether calls or requests wait for the worker. */
  readonly isWaiting: () => boolean
  /** Called when the worker has not answered the greeting in time. It may answer later. */
  readonly onTimeout: () => void
  /** Called when the worker has ended. */
  readonly onGone: () => void
}

/** How long a worker may take to answer when its lock is free, in milliseconds, and how often it is asked. */
const PROBE = 400
const PROBES = 3

/** Notices that a worker does not respond, or has ended. */
export function watchWorker({ timeout, ping, isWaiting, onTimeout, onGone }: WorkerWatchOptions) {
  let timer: unknown
  let stopWaiting: (() => void) | undefined
  let isWelcome = false
  /** How many timeouts in a row have passed without a message from the worker. */
  let silences = 0
  let isProbing = false

  function setTimer(callback: () => void, delay: number) {
    patientClock.clearTimeout(timer)
    timer = patientClock.setTimeout(callback, delay)
  }

  /** A prerendered page has no worker before it is shown. */
  function onShown() {
    document.removeEventListener('prerenderingchange', onShown)
    if (!isWelcome) setTimer(onTimeout, timeout)
  }

  /** Detects the end of the worker without locks: pings it while calls or requests wait for it. */
  function watch() {
    setTimer(() => {
      if (isWaiting()) {
        // One or two missed responses prove nothing: after a freeze, timers fire before queued messages arrive.
        if (++silences > 2) return onGone()
        ping()
      } else silences = 0
      watch()
    }, timeout)
  }

  /** The lock of the worker is free: it has ended, or another script has stolen its lock. Only a worker that lives answers. */
  function probe(left: number) {
    if (left === 0) return onGone()
    isProbing = true
    ping()
    setTimer(() => probe(left - 1), PROBE)
  }

  return {
    /** The page has sent its greeting. */
    greeted() {
      if (isPrerendered()) document.addEventListener('prerenderingchange', onShown)
      else setTimer(onTimeout, timeout)
    },
    /** The worker has sent something. */
    answered() {
      silences = 0
      if (!isProbing) return
      isProbing = false
      // Until its next lock is known, the worker is observed by its answers.
      watch()
    },
    /** The worker has answered the greeting. */
    welcomed() {
      isWelcome = true
      stopWaiting?.()
      stopWaiting = undefined
      watch()
    },
    /** The worker holds this lock as long as it exists. */
    holds(lock: string) {
      stopWaiting?.()
      stopWaiting = whenReleased(lock, () => probe(PROBES))
      if (stopWaiting) patientClock.clearTimeout(timer)
    },
    /** Whether a worker of this version has answered. */
    get isWelcome() {
      return isWelcome
    },
    /** Stops the timer. A later message starts it again. */
    pause: () => patientClock.clearTimeout(timer),
    stop() {
      patientClock.clearTimeout(timer)
      stopWaiting?.()
      if (typeof document !== 'undefined') document.removeEventListener('prerenderingchange', onShown)
    },
  }
}
