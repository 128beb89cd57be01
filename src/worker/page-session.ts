import type { AuthEmitted } from '../../machines/index.ts'
import type { Auth } from '../core/auth.ts'
import { ENVIRONMENT_EVENTS } from '../core/features/environment-signals.ts'
import { whenReleased } from './liveness.ts'
import { packError } from './pack-error.ts'
import type { Port } from './port.ts'
import { type Method, type MirrorStep, mark, type ToPage, type ToWorker } from './protocol.ts'
import { createWorkerRequests } from './worker-requests.ts'

/** The state of a worker that all its page sessions share. */
export interface WorkerState {
  readonly auth: Auth
  readonly send: typeof fetch
  readonly buffers: boolean
  /** The connected pages. Removing an ended page releases the last reference to its port. */
  readonly pages: Set<PageSession>
  /** Whether the worker still accepts pages. */
  readonly isOpen: () => boolean
  /** The name of the lock that this worker holds; `undefined` until it is granted. */
  readonly lock: () => string | undefined
  /** The chart's current state, with the events that it emitted after the first `seen` ones. */
  readonly currentStep: (seen: number | undefined) => MirrorStep
  readonly history: () => readonly AuthEmitted[]
}

/** The worker's connection to one page. */
export interface PageSession {
  post(message: ToPage): void
  /** Sends the current state to a page that connects, or that returns from the back/forward cache. */
  greet(seen: number | undefined): void
  receive(message: ToWorker): void
  /** Sends the name of the worker's lock to the page, if the lock is granted. */
  sendLock(): void
  close(): void
}

/** The methods that a page may call, and whether they resolve with a session. */
const METHODS: Readonly<Record<Method, boolean>> = {
  ready: false,
  signIn: true,
  signOut: false,
  setTokens: true,
  refresh: true,
}

/** The events that a page may send to the chart: only those that make no statement about tokens or requests. */
const EVENTS = [
  'session.signIn',
  'session.signOut',
  'session.refresh',
  'clock.check',
  'store.changed',
  'environment.online',
  'environment.offline',
  'environment.resumed',
] as const

/**
 * Opens the session of one page.
 *
 * @param name the name that the page gave itself
 * @param onClosed called when the page has closed or the session has ended
 */
export function openPageSession(
  port: Port,
  name: string,
  worker: WorkerState,
  onClosed: () => void,
): PageSession {
  const { auth } = worker
  /** Whether the page has been greeted before. */
  let isKnown = false
  /** Messages for a page in the back/forward cache: sending one now would evict the page from the cache. */
  let queued: [ToPage, Transferable[]][] | undefined
  let stopWaiting: (() => void) | undefined
  let isClosed = false

  function post(message: ToPage, transfer: Transferable[] = []) {
    if (isClosed) return
    if (queued) {
      // The greeting on return contains the state as it is then.
      if (message.type !== 'step') queued.push([message, transfer])
    } else port.postMessage(mark(message, name), transfer)
  }

  const requests = createWorkerRequests({ send: worker.send, post, buffers: worker.buffers })

  function release() {
    isClosed = true
    worker.pages.delete(page)
    onClosed()
    stopWaiting?.()
    requests.abortAll()
  }

  async function call({ id, method, argument }: Extract<ToWorker, { type: 'call' }>) {
    if (!Object.hasOwn(METHODS, method)) return
    try {
      const result = await auth[method](argument as never)
      post({ type: 'reply', id, ...(METHODS[method] && result && { session: result }) })
    } catch (error) {
      post({ type: 'reply', id, error: await packError(error) })
    }
  }

  function sendToChart(type: (typeof EVENTS)[number] | undefined) {
    if (type) auth.actor.send({ type })
  }

  const page: PageSession = {
    post,

    greet(seen) {
      const missed = queued ?? []
      queued = undefined
      worker.pages.add(page)
      post({ type: 'welcome', known: isKnown, step: worker.currentStep(seen), history: worker.history() })
      isKnown = true
      page.sendLock()
      for (const [message, transfer] of missed) post(message, transfer)
    },

    receive(message) {
      switch (message.type) {
        case 'hello':
          break
        case 'alive':
          stopWaiting?.()
          stopWaiting = whenReleased(message.lock, release)
          break
        case 'goodbye':
          // Without the lock of a page, the worker could not notice that the page never returns.
          if (message.returns && stopWaiting) queued = []
          else release()
          break
        case 'ping':
          post({ type: 'pong', endsAt: auth.endsAt })
          break
        case 'call':
          void call(message)
          break
        case 'event':
          sendToChart(EVENTS.find((type) => type === message.event))
          break
        case 'environment':
          if (Object.hasOwn(ENVIRONMENT_EVENTS, message.signal))
            sendToChart(ENVIRONMENT_EVENTS[message.signal])
          break
        case 'request':
          requests.start(message)
          break
        case 'abort':
          requests.abort(message.id)
          break
        default:
          requests.body(message)
      }
    },

    sendLock() {
      const lock = worker.lock()
      if (lock !== undefined) post({ type: 'alive', lock })
    },

    close() {
      post({ type: 'closed' })
      release()
    },
  }
  return page
}
