import type { AuthError } from '../core/errors.ts'
import { WorkerError } from '../core/errors.ts'
import { environmentHere } from '../environment/browser.ts'
import { systemClock } from '../environment/clock.ts'
import { holdLock, uniqueName } from './liveness.ts'
import { listenAt, type Port } from './port.ts'
import { mark, type ToPage, type ToWorker } from './protocol.ts'
import { createReader, pageOf, type Unreadable } from './read-message.ts'
import { toPageParsers } from './to-page.ts'
import { watchWorker } from './watch-worker.ts'

/**
 * The place of a session: a `SharedWorker`, a `Worker`, or a port that is connected to either. A `SharedWorker` is described
 * by its members, because TypeScript's `webworker` library does not declare it.
 */
export type AuthWorker =
  | (EventTarget & {
      /** The port to the shared worker, which the page starts by itself. */
      readonly port: MessagePort
    })
  | Worker
  | MessagePort

export interface ConnectionOptions {
  /** How long the worker may take to respond, in milliseconds. */
  readonly timeout: number
  readonly onMessage: (message: ToPage) => void
  /** Called for a message that cannot be read, about something that waits for it. */
  readonly onUnreadable: (message: Unreadable) => void
  /** Called to reject everything that waits for the worker: it cannot be reached, or a message was lost. */
  readonly onFailed: (error: AuthError) => void
  /** Called when the worker has ended, or its script could not be loaded. */
  readonly onDied: () => void
  /** Called before each greeting. Returns how many of the chart's events this page has received. */
  readonly onGreeting: () => number | undefined
  /** Whether calls or requests wait for the worker. */
  readonly isWaiting: () => boolean
}

/** The shortest time between two greetings, in milliseconds, so that two sides that misunderstand each other do not loop. */
const GREETING_PAUSE = 1_000

/** Connects a page to the worker that holds its session. */
export function openConnection(worker: AuthWorker, options: ConnectionOptions) {
  const port = ('port' in worker ? worker.port : worker) as Port
  const page = `authchart page ${uniqueName()}`
  const read = createReader(toPageParsers())
  const stops: (() => void)[] = []
  let failure: AuthError | undefined
  let open = true
  /** The name of the lock that this page holds as long as it exists; `undefined` until it is granted. */
  let lock: string | undefined
  /** An error of the worker's script before its first message. */
  let thrown: unknown
  let greetedAt = Number.NEGATIVE_INFINITY
  let nextGreeting: unknown

  const post = (message: ToWorker, transfer: Transferable[] = []) => {
    if (open) port.postMessage(mark(message, page), transfer)
  }

  const watch = watchWorker({
    timeout: options.timeout,
    ping: () => post({ type: 'ping' }),
    isWaiting: options.isWaiting,
    // A worker that responds after this timeout still clears the failure.
    onTimeout: () => fail('timeout', thrown),
    onGone: () => lose('gone'),
  })

  function fail(reason: string, cause?: unknown) {
    failure = new WorkerError({ reason, cause })
    watch.pause()
    options.onFailed(failure)
  }

  /** Closes the connection for good, with the reason of the `WorkerError`. */
  function lose(reason: string, cause?: unknown) {
    if (!open) return
    close()
    fail(reason, cause)
    if (reason === 'gone' || reason === 'load_failed') options.onDied()
  }

  /** A message was lost, and it is unknown which. So nothing goes on waiting for it. */
  function recover() {
    options.onFailed(new WorkerError({ reason: 'garbled' }))
    greetSoon()
  }

  function greetSoon() {
    systemClock.clearTimeout(nextGreeting)
    const wait = greetedAt + GREETING_PAUSE - performance.now()
    if (wait <= 0) greet()
    else nextGreeting = systemClock.setTimeout(greet, wait)
  }

  function greet() {
    systemClock.clearTimeout(nextGreeting)
    greetedAt = performance.now()
    const seen = options.onGreeting()
    post({ type: 'hello', ...(seen !== undefined && { seen }) })
    // The lock is also held in the back/forward cache: releasing it would mean that the page has ended.
    if (lock) post({ type: 'alive', lock })
    watch.greeted()
  }

  function receive(message: ToPage) {
    watch.answered()
    switch (message.type) {
      case 'welcome':
        failure = undefined
        watch.welcomed()
        return options.onMessage(message)
      case 'alive':
        return watch.holds(message.lock)
      case 'refused':
        return watch.isWelcome ? undefined : lose('version')
      case 'unknown':
        return greetSoon()
      case 'closed':
        return lose('closed')
      case 'garbled':
        return recover()
      default:
        options.onMessage(message)
    }
  }

  function close() {
    open = false
    for (const stop of stops) stop()
    systemClock.clearTimeout(nextGreeting)
    watch.stop()
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
        const message = read(data)
        // Check the version first: another one may address its messages in a different way.
        if (message === 'other') return watch.isWelcome ? undefined : lose('version')
        if (!message || pageOf(data) !== page) return
        if ('of' in message) options.onUnreadable(message)
        else receive(message)
      },
      garbled: recover,
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
  const releaseLock = holdLock('authchart page', (name) => {
    lock = name
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
