import type { AuthEmitted } from '../../machines/index.ts'
import type { Auth } from '../core/auth.ts'
import { QueueFullError } from '../core/errors.ts'
import { ENVIRONMENT_EVENTS } from '../core/features/environment-signals.ts'
import type { Session } from '../core/ports.ts'
import { portsOfAuth } from '../core/session-ports.ts'
import { patientClock } from '../environment/clock.ts'
import { whenReleased } from './liveness.ts'
import { packError } from './pack-error.ts'
import type { PageAccess } from './page-access.ts'
import type { Port } from './port.ts'
import { type Method, type MirrorStep, mark, type ToPage, type ToWorker } from './protocol.ts'
import type { ReadMessage, Unreadable } from './read-message.ts'
import { createWorkerRequests } from './worker-requests.ts'

/** The state of a worker that all its page sessions share. */
export interface WorkerState {
  readonly auth: Auth
  readonly send: typeof fetch
  readonly access: PageAccess
  readonly read: ReadMessage<ToWorker>
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
  receive(message: ToWorker | Unreadable): void
  /** Sends the name of the worker's lock to the page, if the lock is granted. */
  sendLock(): void
  close(): void
}

/** The methods that a page may call: with what it gave, and with the session that the page receives. */
const METHODS: Readonly<Record<Method, (auth: Auth, argument: unknown) => Promise<unknown>>> = {
  ready: (auth) => auth.ready(),
  signIn: (auth, credentials) => auth.signIn(credentials),
  signOut: (auth) => auth.signOut(),
  setTokens: (auth, response) => auth.setTokens(response as never),
  refresh: (auth) => auth.refresh(),
}

/** How many calls of one page may wait. */
const CALLS = 10_000
/**
 * How long a page whose lock was released may take to hold another one, in milliseconds. Any script of the origin can steal
 * a lock, so a released one does not prove that the page has ended.
 */
const GRACE = 1_000

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
  const { sharing } = portsOfAuth(auth)
  /** Whether the page has been greeted before. */
  let isKnown = false
  /** Messages for a page in the back/forward cache: sending one now would evict the page from the cache. */
  let queued: [ToPage, Transferable[]][] | undefined
  let stopWaiting: (() => void) | undefined
  let grace: unknown
  let calls = 0
  let isClosed = false

  function post(message: ToPage, transfer: Transferable[] = []) {
    if (isClosed) return
    if (queued) {
      // The greeting on return contains the state as it is then.
      if (message.type !== 'step') queued.push([message, transfer])
    } else port.postMessage(mark(message, name), transfer)
  }

  const requests = createWorkerRequests({
    send: worker.send,
    access: worker.access,
    post,
    buffers: worker.buffers,
  })

  function release() {
    isClosed = true
    worker.pages.delete(page)
    onClosed()
    stopWaiting?.()
    patientClock.clearTimeout(grace)
    requests.abortAll()
  }

  function waitForRelease(lock: string) {
    patientClock.clearTimeout(grace)
    stopWaiting?.()
    stopWaiting = whenReleased(lock, () => {
      grace = patientClock.setTimeout(release, GRACE)
    })
  }

  async function call({ id, method, argument }: Extract<ToWorker, { type: 'call' }>) {
    calls++
    try {
      if (calls > CALLS) throw new QueueFullError(CALLS)
      const session = await METHODS[method](auth, argument)
      post({ type: 'reply', id, ...(session !== undefined && { session: session as Session }) })
    } catch (error) {
      post({ type: 'reply', id, error: await packError(error) })
    } finally {
      calls--
    }
  }

  /** The promise must not wait for what never comes. */
  async function refuse({ of, id }: Unreadable) {
    if (of !== 'call') return requests.refuse(id)
    post({ type: 'reply', id, error: { kind: 'auth', code: 'worker_failed', reason: 'garbled' } })
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
      if ('of' in message) return void refuse(message)
      switch (message.type) {
        case 'hello':
          break
        case 'alive':
          waitForRelease(message.lock)
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
          // The actor ignores an event that no app may send.
          auth.actor.send({ type: message.event } as never)
          break
        case 'environment':
          if (message.signal === 'visible') sharing.retry?.()
          auth.actor.send({ type: ENVIRONMENT_EVENTS[message.signal] })
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
