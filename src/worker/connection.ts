import type { AuthError } from '../core/errors.ts'
import { WorkerError } from '../core/errors.ts'
import { environmentHere } from '../environment/browser.ts'
import { systemClock } from '../environment/clock.ts'
import { holdLock, uniqueName, whenReleased } from './liveness.ts'
import { listenAt, type Port } from './port.ts'
import { mark, pageOf, readMessage, TO_PAGE, type ToPage, type ToWorker } from './protocol.ts'

/**
 * Where a session can be found: a `SharedWorker`, by its shape, for the types of workers do not know it; a `Worker`; or a port
 * that leads to either.
 */
export type AuthWorker = (EventTarget & { readonly port: MessagePort }) | Worker | MessagePort

export interface ConnectionOptions {
  /** How long the worker may take to answer, in milliseconds. */
  readonly timeout: number
  readonly hear: (message: ToPage) => void
  /** The worker cannot be reached: whatever waits for it has to be told. */
  readonly failed: (error: AuthError) => void
  /** The worker that was there is there no more. */
  readonly died: () => void
  /** The worker is greeted now. Gives how many of the chart's events are known here. */
  readonly greeting: () => number | undefined
  /** Whether somebody waits for the worker. */
  readonly isWaiting: () => boolean
}

/** The connection of a page to the worker its session lives in. */
export function openConnection(worker: AuthWorker, options: ConnectionOptions) {
  const port = ('port' in worker ? worker.port : worker) as Port
  const page = `authchart page ${uniqueName()}`
  const stops: (() => void)[] = []
  let failure: AuthError | undefined
  let open = true
  /** What this page holds as long as it lives. */
  let lock: string | undefined
  let stopWaiting: (() => void) | undefined
  let timer: unknown
  /** What the worker's script threw before it answered. */
  let thrown: unknown
  /** How often the worker has let the time for an answer pass. */
  let silences = 0

  const post = (message: ToWorker, transfer: Transferable[] = []) => {
    if (open) port.postMessage(mark(message, page), transfer)
  }

  function fail(reason: string, cause?: unknown) {
    failure = new WorkerError({ reason, cause })
    systemClock.clearTimeout(timer)
    options.failed(failure)
  }

  /** There will be no other word from this worker. */
  function lose(reason: string, cause?: unknown) {
    if (!open) return
    close()
    fail(reason, cause)
    if (reason === 'gone') options.died()
  }

  function greet() {
    const seen = options.greeting()
    post({ type: 'hello', ...(seen !== undefined && { seen }) })
    // Kept in the back/forward cache, too: to let go of it would be to be gone.
    if (lock) post({ type: 'alive', lock })
    systemClock.clearTimeout(timer)
    // It may answer yet: then all is well again.
    timer = systemClock.setTimeout(() => fail('timeout', thrown), options.timeout)
  }

  /** Without locks, a worker that somebody waits for is asked now and then whether it is still there. */
  function watch() {
    systemClock.clearTimeout(timer)
    timer = systemClock.setTimeout(() => {
      if (options.isWaiting()) {
        // Once is nothing: a page that was frozen wakes before it hears what was said meanwhile.
        if (++silences > 2) return lose('gone')
        post({ type: 'ping' })
      } else silences = 0
      watch()
    }, options.timeout)
  }

  function hear(message: ToPage) {
    silences = 0
    switch (message.type) {
      case 'welcome':
        failure = undefined
        stopWaiting?.()
        stopWaiting = undefined
        watch()
        return options.hear(message)
      case 'alive':
        stopWaiting?.()
        stopWaiting = whenReleased(message.lock, () => lose('gone'))
        if (stopWaiting) systemClock.clearTimeout(timer)
        return
      case 'refused':
        return lose('version')
      case 'closed':
        return lose('closed')
      case 'garbled':
        return lose('garbled')
      default:
        options.hear(message)
    }
  }

  function close() {
    open = false
    for (const stop of stops) stop()
    systemClock.clearTimeout(timer)
    stopWaiting?.()
    letGo()
  }

  /** Listens to something for as long as the connection is open. */
  function listen(target: EventTarget, type: string, listener: (event: Event) => void) {
    target.addEventListener(type, listener)
    stops.push(() => target.removeEventListener(type, listener))
  }

  stops.push(
    listenAt(port, {
      message(data) {
        const message = readMessage<ToPage>(data, TO_PAGE)
        const addressee = pageOf(data)
        // Another version may address its messages otherwise.
        if (message === 'other') lose('version')
        else if (message && addressee === page) hear(message)
      },
      garbled: () => lose('garbled'),
    }),
  )
  // A script that cannot be loaded says so without a message; one that throws may serve all the same.
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
  const letGo = holdLock(page, () => {
    lock = page
    post({ type: 'alive', lock })
  })
  const environment = environmentHere()
  for (const signal of ['online', 'offline', 'visible', 'wake'] as const)
    stops.push(environment.subscribe(signal, () => post({ type: 'environment', signal })))

  return {
    post,
    /** Why the worker cannot be reached; `undefined`: as far as one knows, it can. */
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
