import type { AuthEmitted } from '../../machines/index.ts'
import type { Auth } from '../core/auth.ts'
import type { Session } from '../core/vault.ts'
import { type AuthFetchOptions, createAuthFetch } from '../transports/fetch.ts'
import { holdLock, uniqueName } from './liveness.ts'
import type { Port } from './port.ts'
import type { Step } from './protocol.ts'
import { servePort } from './serve-port.ts'
import type { House, ServedPage } from './served-page.ts'

/** Options of `serveAuth`: those of `createAuthFetch`, which decide for all pages. */
export interface ServeAuthOptions extends AuthFetchOptions {
  /** Serves whoever is at the other end of this port. Default: the pages, or the page, of the worker this runs in. */
  readonly port?: MessagePort
}

/** How much a page that was away can catch up with. */
const LOG = 100

/**
 * Serves a session to the pages of the worker it runs in: it lives here, requests are sent from here, and pages get
 * answers, states and facts, and never a token. `origins` decides where the token goes, whatever a page asks for.
 *
 * To be called before the first `await` of the worker's script: pages connect at once, and are heard from then on.
 *
 * @param auth the session
 * @param options where the token may go, and how requests are sent, as for `createAuthFetch`
 * @returns the way to stop; what pages have under way then rejects with a `WorkerError`, and the session lives on
 * @throws TypeError outside a SharedWorker or a dedicated worker, where no `port` is given
 * @throws TypeError where there is no origin to confine the token to
 *
 * @example
 * ```ts
 * // auth.worker.ts
 * import { createAuth } from 'authchart'
 * import { serveAuth } from 'authchart/worker'
 *
 * serveAuth(createAuth({ refresh, signIn }), { origins: ['https://api.example.com'] })
 * ```
 */
export function serveAuth<Credentials, Claims>(
  auth: Auth<Credentials, Claims>,
  options: ServeAuthOptions = {},
): () => void {
  const { port, ...transport } = options
  return serve(auth as unknown as Auth, createAuthFetch(auth, transport), {
    buffers: transport.bufferStreams === true,
    ...(port && { port }),
  })
}

function serve(
  auth: Auth,
  send: typeof fetch,
  { port, buffers }: { readonly port?: MessagePort; readonly buffers: boolean },
): () => void {
  const { actor } = auth
  const accept = entrance(port)
  const pages = new Set<ServedPage>()
  let open = true

  /** The last events, for pages that were away. */
  const log: AuthEmitted[] = []
  let seen = 0
  /** What the chart emits in the step it is in. */
  let emitted: AuthEmitted[] = []
  let told: { readonly snapshot: unknown; readonly session: Session | undefined } | undefined

  const standing = (event: string): Step => {
    const { value, context } = actor.getSnapshot()
    const { session = null, endsAt } = auth
    return { event, value, context, session, endsAt, emitted: [], seen }
  }

  const emits = actor.on('*', (event) => {
    emitted.push(event)
    log.push(event)
    if (log.length > LOG) log.shift()
    seen++
  })
  // Told once all others have heard of the step, so that a request it let go is on its way by then.
  const steps = actor.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== actor) return
    const { session } = auth
    const snapshot = actor.getSnapshot()
    const news = emitted
    emitted = []
    if (news.length === 0 && snapshot === told?.snapshot && session === told.session) return
    const { session: all, ...step } = standing(inspected.event.type)
    const changed = session !== told?.session
    told = { snapshot, session }
    for (const page of pages)
      page.post({ type: 'step', step: { ...step, ...(changed && { session: all }), emitted: news } })
  })

  let lock: string | undefined
  const name = `authchart worker ${uniqueName()}`
  const letGo = holdLock(name, () => {
    lock = name
    for (const page of pages) page.tellLock()
  })

  const house: House = {
    auth,
    send,
    buffers,
    pages,
    isOpen: () => open,
    lock: () => lock,
    standing: (last) => ({
      ...standing('hello'),
      emitted: last === undefined || last >= seen ? [] : log.slice(Math.max(0, log.length - (seen - last))),
    }),
    history: () => auth.history,
  }

  const stop = accept((at) => servePort(at, house))

  return () => {
    open = false
    stop()
    for (const page of pages) page.close()
    letGo()
    emits.unsubscribe()
    steps.unsubscribe()
  }
}

/** The global scope of a worker, as far as it says how pages get here. */
type Scope = Port & {
  readonly postMessage?: unknown
  readonly document?: unknown
  readonly onconnect?: unknown
  addEventListener(type: string, listener: (event: Event) => void): void
  removeEventListener(type: string, listener: (event: Event) => void): void
}

type Accept = (serve: (port: Port) => () => void) => () => void

/** Where pages come in: at the port given, by connecting to a SharedWorker, or at the other end of a worker. */
function entrance(port: MessagePort | undefined): Accept {
  if (port) return (serve) => serve(port as Port)
  const scope = globalThis as unknown as Scope
  if ('onconnect' in scope) {
    return (serve) => {
      const connected = (event: Event) => {
        const [first] = (event as MessageEvent).ports
        if (first) serve(first as Port)
      }
      scope.addEventListener('connect', connected)
      return () => scope.removeEventListener('connect', connected)
    }
  }
  if (typeof scope.postMessage === 'function' && scope.document === undefined) return (serve) => serve(scope)
  throw new TypeError('serveAuth: this is no SharedWorker and no dedicated worker. Give it a port.')
}
