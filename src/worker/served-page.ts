import type { AuthEmitted } from '../../machines/index.ts'
import type { Auth } from '../core/auth.ts'
import { whenReleased } from './liveness.ts'
import { packError } from './pack-error.ts'
import type { Port } from './port.ts'
import { type Method, mark, type Step, type ToPage, type ToWorker } from './protocol.ts'
import { createWorkerRequests } from './worker-requests.ts'

/** What all pages of a worker share. */
export interface House {
  readonly auth: Auth
  readonly send: typeof fetch
  readonly buffers: boolean
  /** The pages that are there. A port whose page is gone is held by nobody, and so goes after it. */
  readonly pages: Set<ServedPage>
  /** Whether pages are still let in. */
  readonly isOpen: () => boolean
  /** The lock this worker holds, once it does. */
  readonly lock: () => string | undefined
  /** Where the chart stands, with what it emitted since the page last heard of it. */
  readonly standing: (seen: number | undefined) => Step
  readonly history: () => readonly AuthEmitted[]
}

export interface ServedPage {
  post(message: ToPage): void
  /** Says where things stand, to a page that is there, or there again. */
  greet(seen: number | undefined): void
  hear(message: ToWorker): void
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

/** One page, by the name it has given itself. `gone` is called when it is there no more. */
export function servePage(port: Port, name: string, house: House, gone: () => void): ServedPage {
  const { auth } = house
  let there = false
  /** What a page that is away for a while is told on its return. Any message would throw it out of the cache it is in. */
  let kept: [ToPage, Transferable[]][] | undefined
  let stopWaiting: (() => void) | undefined
  let dropped = false

  function post(message: ToPage, transfer: Transferable[] = []) {
    if (dropped) return
    if (kept) {
      // Where the chart stands is told on return, as it is then.
      if (message.type !== 'step') kept.push([message, transfer])
    } else port.postMessage(mark(message, name), transfer)
  }

  const requests = createWorkerRequests({ send: house.send, post, buffers: house.buffers })

  /** The page is gone. */
  function drop() {
    dropped = true
    house.pages.delete(served)
    gone()
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

  function tell(type: (typeof EVENTS)[number] | undefined) {
    if (type) auth.actor.send({ type })
  }

  const served: ServedPage = {
    post,

    greet(seen) {
      const missed = kept ?? []
      kept = undefined
      house.pages.add(served)
      post({ type: 'welcome', known: there, step: house.standing(seen), history: house.history() })
      there = true
      served.tellLock()
      for (const [message, transfer] of missed) post(message, transfer)
    },

    hear(message) {
      switch (message.type) {
        case 'hello':
          break
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
    },

    tellLock() {
      const lock = house.lock()
      if (lock !== undefined) post({ type: 'alive', lock })
    },

    close() {
      post({ type: 'closed' })
      drop()
    },
  }
  return served
}
