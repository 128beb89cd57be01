import type { AuthEmitted } from '../../machines/index.ts'
import type { Auth } from '../core/auth.ts'
import { whenReleased } from './liveness.ts'
import { packError } from './pack-error.ts'
import { listenAt, type Port } from './port.ts'
import {
  type Method,
  mark,
  readMessage,
  type Step,
  TO_WORKER,
  type ToPage,
  type ToWorker,
} from './protocol.ts'
import { createWorkerRequests } from './worker-requests.ts'

/** What all pages of a worker share. */
export interface House {
  readonly auth: Auth
  readonly send: typeof fetch
  readonly buffers: boolean
  /** The lock this worker holds, once it does. */
  readonly lock: () => string | undefined
  /** Where the chart stands, with what it emitted since the page last heard of it. */
  readonly standing: (seen: number | undefined) => Step
  readonly history: () => readonly AuthEmitted[]
  /** The pages that are there. A port whose page is gone is held by nobody, and so goes after it. */
  readonly pages: Set<ServedPage>
  /** Whether pages are still let in. */
  readonly isOpen: () => boolean
}

export interface ServedPage {
  post(message: ToPage): void
  /** Tells the page of the worker's lock, once that is held. */
  tellLock(): void
  close(): void
}

/** Methods that are called by message, and whether they give a session. */
const METHODS: Readonly<Record<Method, boolean>> = {
  ready: false,
  signIn: true,
  signOut: false,
  setTokens: true,
  refresh: true,
}

/** Events a page may send to the chart: those that claim nothing about tokens or requests. */
const EVENTS = [
  'session.signIn',
  'session.signOut',
  'session.refresh',
  'session.check',
  'session.sync',
  'environment.online',
  'environment.offline',
  'environment.woke',
] as const

const SIGNALS: Readonly<Record<string, (typeof EVENTS)[number]>> = {
  online: 'environment.online',
  offline: 'environment.offline',
  visible: 'environment.woke',
  wake: 'environment.woke',
}

/** One page at one port. */
export function servePage(port: Port, house: House): ServedPage {
  const { auth } = house
  /** The page there, as long as it is one; a port outlives its page's stay in the back/forward cache. */
  let page: string | undefined
  /** What a page that is away for a while is told on its return. Any message would throw it out of the cache. */
  let kept: [ToPage, Transferable[]][] | undefined
  let stopWaiting: (() => void) | undefined

  function post(message: ToPage, transfer: Transferable[] = []) {
    if (page === undefined) return
    if (kept) {
      // Where the chart stands is told on return, as it is then.
      if (message.type !== 'step') kept.push([message, transfer])
    } else port.postMessage(mark(message), transfer)
  }

  const requests = createWorkerRequests({ send: house.send, post, buffers: house.buffers })

  /** The page is gone; its port is heard all the same, for it may come back. */
  function drop() {
    house.pages.delete(served)
    page = kept = undefined
    stopWaiting?.()
    stopWaiting = undefined
    requests.abortAll()
  }

  function greet({ page: name, seen }: Extract<ToWorker, { type: 'hello' }>) {
    if (!house.isOpen()) return port.postMessage(mark({ type: 'closed' }), [])
    const known = page === name
    if (!known) drop()
    page = name
    house.pages.add(served)
    const missed = kept ?? []
    kept = undefined
    post({ type: 'welcome', known, step: house.standing(seen), history: house.history() })
    tellLock()
    for (const [message, transfer] of missed) post(message, transfer)
  }

  function tellLock() {
    const lock = house.lock()
    if (lock !== undefined) post({ type: 'alive', lock })
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

  function hear(message: ToWorker) {
    if (message.type === 'hello') return greet(message)
    if (page === undefined) return
    switch (message.type) {
      case 'alive':
        stopWaiting?.()
        stopWaiting = whenReleased(message.lock, drop)
        break
      case 'goodbye':
        // Only a page that holds a lock is known to be still there.
        if (message.returns && stopWaiting) kept = []
        else drop()
        break
      case 'ping':
        post({ type: 'pong', endsAt: auth.endsAt })
        break
      case 'call':
        void call(message)
        break
      case 'event':
        tell(EVENTS.find((type) => type === message.event))
        break
      case 'environment':
        tell(SIGNALS[message.signal])
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
  }

  function tell(type: (typeof EVENTS)[number] | undefined) {
    if (type) auth.actor.send({ type })
  }

  const stopListening = listenAt(port, {
    message(data) {
      const message = readMessage<ToWorker>(data, TO_WORKER)
      if (message === 'other') port.postMessage(mark({ type: 'refused' }), [])
      else if (message) hear(message)
    },
    garbled: () => post({ type: 'garbled' }),
  })

  const served: ServedPage = {
    post,
    tellLock,
    close() {
      post({ type: 'closed' })
      drop()
      stopListening()
    },
  }
  return served
}
