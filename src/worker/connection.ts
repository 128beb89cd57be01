import type { AuthError } from '../core/errors.ts'
import { WorkerError } from '../core/errors.ts'
import { environmentHere } from '../environment/browser.ts'
import { patientClock } from '../environment/clock.ts'
import { holdLock, uniqueName, whenReleased } from './liveness.ts'
import { listenAt, type Port } from './port.ts'
import { mark, pageOf, readMessage, TO_PAGE, type ToPage, type ToWorker } from './protocol.ts'

/**
 * The place of a session: a `SharedWorker`, a `Worker`, or a port that is connected to either. A `SharedWorker` is described
 * by its members, because TypeScript's `webworker` library does not declare it.
 */
export type AuthWorker = (EventTarget & { readonly port: MessagePort }) | Worker | MessagePort

export interface ConnectionOptions {
  /** How long the worker may take to respond, in milliseconds. */
  readonly timeout: number
  readonly onMessage: (message: ToPage) => void
  /** Called when the worker cannot be reached, to reject everything that waits for it. */
  readonly onFailed: (error: AuthError) => void
  /** Called when the worker has ended. */
  readonly onDied: () => void
  /** Called before each greeting. Returns how many of the chart's events this page has received. */
  readonly onGreeting: () => number | undefined
  /** Whether calls or requests wait for the worker. */
  readonly isWaiting: () => boolean
}

/** Connects a page to the worker that holds its session. */
export function openConnection(worker: AuthWorker, options: ConnectionOptions) {
  const port = ('port' in worker ? worker.port : worker) as Port
  const page = `authchart page ${uniqueName()}`
  const stops: (() => void)[] = []
  let failure: AuthError | undefined
  let open = true
  /** The name of the lock that this page holds as long as it exists; `undefined` until it is granted. */
  let lock: string | undefined
  let stopWaiting: (() => void) | undefined
  let timer: unknown
  /** An error of the worker's script before its first message. */
  let thrown: unknown
  /** How many timeouts in a row have passed without a message from the worker. */
  let silences = 0

  const post = (message: ToWorker, transfer: Transferable[] = []) => {
    if (open) port.postMessage(mark(message, page), transfer)
  }

  function fail(reason: string, cause?: unknown) {
    failure = new WorkerError({ reason, cause })
    patientClock.clearTimeout(timer)
    options.onFailed(failure)
  }

  /** Closes the connection for good, with the reason of the `WorkerError`. */
  function lose(reason: string, cause?: unknown) {
    if (!open) return
    close()
    fail(reason, cause)
    if (reason === 'gone') options.onDied()
  }

  function greet() {
    const seen = options.onGreeting()
    post({ type: 'hello', ...(seen !== undefined && { seen }) })
    // The lock is also held in the back/forward cache: releasing it would mean that the page has ended.
    if (lock) post({ type: 'alive', lock })
    patientClock.clearTimeout(timer)
    // A worker that responds after this timeout still clears the failure.
    timer = patientClock.setTimeout(() => fail('timeout', thrown), options.timeout)
  }

  /** Detects the end of the worker without locks: pings it while calls or requests wait for it. */
  function watch() {
    patientClock.clearTimeout(timer)
    timer = patientClock.setTimeout(() => {
      if (options.isWaiting()) {
        // One or two missed responses prove nothing: after a freeze, timers fire before queued messages arrive.
        if (++silences > 2) return lose('gone')
        post({ type: 'ping' })
      } else silences = 0
      watch()
    }, options.timeout)
  }

  function receive(message: ToPage) {
    silences = 0
    switch (message.type) {
      case 'welcome':
        failure = undefined
        stopWaiting?.()
        stopWaiting = undefined
        watch()
        return options.onMessage(message)
      case 'alive':
        stopWaiting?.()
        stopWaiting = whenReleased(message.lock, () => lose('gone'))
        if (stopWaiting) patientClock.clearTimeout(timer)
        return
      case 'refused':
        return lose('version')
      case 'closed':
        return lose('closed')
      case 'garbled':
        return lose('garbled')
      default:
        options.onMessage(message)
    }
  }

  function close() {
    open = false
    for (const stop of stops) stop()
    patientClock.clearTimeout(timer)
    stopWaiting?.()
    releaseLock()
  }

  /** Adds an event listener that is removed when the connection closes. */
  function listen(target: EventTarget, type: string, listener: (event: Event) => void) {
    target.addEventListener(type, listener)
    stops.push(() => target.removeEventListener(type, listener))
  }

  stops.push(
    listenAt(port, {
      message(data) {
        const message = readMessage<ToPage>(data, TO_PAGE)
        const addressee = pageOf(data)
        // Check the version first: another one may address its messages in a different way.
        if (message === 'other') lose('version')
        else if (message && addressee === page) receive(message)
      },
      garbled: () => lose('garbled'),
    }),
  )
  // The event has no message if the script cannot be loaded. A script that throws may still serve the session.
  listen(worker, 'error', (event) => {
    const { message, error } = event as ErrorEvent
    if (message === undefined) lose('load_failed')
    else thrown ??= error ?? new Error(message)
  })
  if (typeof document !== 'undefined') {
    listen(globalThis, 'pagehide', (event) => {
      post({ type: 'goodbye', returns: (event as PageTransitionEvent).persisted })
    })
    listen(globalThis, 'pageshow', (event) => {
      if ((event as PageTransitionEvent).persisted) greet()
    })
  }
  greet()
  const releaseLock = holdLock(page, () => {
    lock = page
    post({ type: 'alive', lock })
  })
  const environment = environmentHere()
  for (const signal of ['online', 'offline', 'visible', 'wake'] as const)
    stops.push(environment.subscribe(signal, () => post({ type: 'environment', signal })))

  return {
    post,
    /** Why the worker cannot be reached; `undefined` if no failure is known. */
    get failure() {
      return failure
    },
    lose,
    close() {
      post({ type: 'goodbye', returns: false })
      close()
    },
  }
}

export type Connection = ReturnType<typeof openConnection>
