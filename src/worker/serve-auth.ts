import type { AuthEmitted } from '../../machines/index.ts'
import { type Auth, WRAP_OPTIONS } from '../core/auth.ts'
import type { AuthFacade } from '../core/auth-facade.ts'
import type { Session } from '../core/ports.ts'
import { type AuthFetchOptions, createAuthFetch } from '../transports/fetch.ts'
import { holdLock } from './liveness.ts'
import { createPageAccess } from './page-access.ts'
import type { PageSession, WorkerState } from './page-session.ts'
import type { Port } from './port.ts'
import type { MirrorStep } from './protocol.ts'
import { createReader } from './read-message.ts'
import { servePort } from './serve-port.ts'
import { createSessionEndpoints } from './session-endpoints.ts'
import { toWorkerParsers } from './to-worker.ts'
import { unobserved } from './watch-fetch.ts'

/** Options of `serveAuth`: those of `createAuthFetch`, which apply to all pages. */
export interface ServeAuthOptions extends AuthFetchOptions {
  /** Serves the page at the other end of this port. Default: all pages of the worker that the code runs in. */
  readonly port?: MessagePort
  /**
   * The endpoints that issue, refresh and revoke tokens. No page reaches them through the worker, with whatever
   * spelling, method or query. What `refresh`, `signIn` and `revoke` fetch is added when they fetch it; name an endpoint to
   * protect it from the start.
   */
  readonly endpoints?: readonly (string | URL)[]
  /**
   * URLs that the pages reach although `refresh`, `signIn` or `revoke` fetch them, such as a GraphQL endpoint. If the refresh
   * token is in a cookie, a script on the page can then read a new access token.
   */
  readonly sharedEndpoints?: readonly (string | URL)[]
  /** Returns whether a URL is refused, in addition to the endpoints of the session. */
  readonly exclude?: (url: string) => boolean
}

/** How many events are kept for pages that return from the back/forward cache. */
const LOG_LIMIT = 100

/**
 * Serves a session to the pages of a worker. The session and its tokens stay in the worker, which also sends the requests.
 * Pages receive responses, states and public facts, but never a token. Only `origins` decides which servers receive the
 * token; a page cannot change that. Requests to other servers, and to the endpoints of the session, are refused with a
 * `WorkerError`: a page sends them itself.
 *
 * Call it before the first `await` of the worker's script. Pages connect at once, and a message that arrives before this call
 * is lost.
 *
 * @param auth the session
 * @param options the origins that get the token, and how requests are sent, as for `createAuthFetch`
 * @returns stops serving. Pending calls and requests of pages then reject with a `WorkerError`; the session is not disposed
 * @throws TypeError outside of a SharedWorker or a dedicated worker, if no `port` is given
 * @throws TypeError if the token has no origin to be confined to
 *
 * @example
 * ```ts
 * // auth.worker.ts
 * import { createAuth } from 'authchart'
 * import { serveAuth } from 'authchart/worker'
 *
 * serveAuth(createAuth({ refresh, signIn }), {
 *   origins: ['https://api.example.com'],
 *   endpoints: ['https://api.example.com/session'],
 * })
 * ```
 */
export function serveAuth<Credentials, Claims, User>(
  auth: Auth<Credentials, Claims, User>,
  options: ServeAuthOptions = {},
): () => void {
  const { port, endpoints: named, sharedEndpoints, exclude, ...transport } = options
  const endpoints = createSessionEndpoints(named, sharedEndpoints)
  const stop = serve(auth as unknown as Auth, acceptPages(port), {
    access: createPageAccess(options, endpoints),
    // What a page asks for must not be recorded.
    send: createAuthFetch(auth, { ...transport, fetch: unobserved(transport.fetch) }),
    buffers: transport.bufferStreams === true,
  })
  ;(auth as unknown as AuthFacade)[WRAP_OPTIONS](endpoints.record)
  return stop
}

function serve(
  auth: Auth,
  accept: Accept,
  transport: Pick<WorkerState, 'send' | 'access' | 'buffers'>,
): () => void {
  const { actor } = auth
  const pages = new Set<PageSession>()
  let open = true

  /** The last events, for pages that return from the back/forward cache. */
  const log: AuthEmitted[] = []
  let seen = 0
  /** The events emitted during the current step. */
  let emitted: AuthEmitted[] = []
  let lastSent: { readonly snapshot: unknown; readonly session: Session | undefined } | undefined

  const currentStep = (event: string): MirrorStep => {
    const { value, context } = actor.getSnapshot()
    const { session = null, endsAt } = auth
    return { event, value, context, session, endsAt, emitted: [], seen }
  }

  const emits = actor.on('*', (event) => {
    emitted.push(event)
    log.push(event)
    if (log.length > LOG_LIMIT) log.shift()
    seen++
  })
  // The inspector runs after all subscribers, so requests that this step releases are sent before pages are notified.
  const steps = actor.system.inspect((inspected) => {
    if (inspected.type !== '@xstate.snapshot' || inspected.actorRef !== actor) return
    const { session } = auth
    const snapshot = actor.getSnapshot()
    const events = emitted
    emitted = []
    if (events.length === 0 && snapshot === lastSent?.snapshot && session === lastSent.session) return
    const { session: sent, ...step } = currentStep(inspected.event.type)
    const changed = session !== lastSent?.session
    lastSent = { snapshot, session }
    for (const page of pages)
      page.post({ type: 'step', step: { ...step, ...(changed && { session: sent }), emitted: events } })
  })

  let lock: string | undefined
  const releaseLock = holdLock('authchart worker', (name) => {
    lock = name
    for (const page of pages) page.sendLock()
  })

  const state: WorkerState = {
    ...transport,
    auth,
    read: createReader(toWorkerParsers()),
    pages,
    isOpen: () => open,
    lock: () => lock,
    currentStep: (last) => ({
      ...currentStep('hello'),
      emitted: last === undefined || last >= seen ? [] : log.slice(Math.max(0, log.length - (seen - last))),
    }),
    history: () => auth.history,
  }

  const stop = accept((at) => servePort(at, state))

  return () => {
    open = false
    stop()
    for (const page of pages) page.close()
    releaseLock()
    emits.unsubscribe()
    steps.unsubscribe()
  }
}

/** The members of a worker's global scope that show how pages connect to it. */
type Scope = Port & {
  readonly postMessage?: unknown
  readonly document?: unknown
  readonly onconnect?: unknown
  addEventListener(type: string, listener: (event: Event) => void): void
  removeEventListener(type: string, listener: (event: Event) => void): void
}

type Accept = (serve: (port: Port) => () => void) => () => void

/** Accepts pages at the given port, through connections to a SharedWorker, or at the other end of a dedicated worker. */
function acceptPages(port: MessagePort | undefined): Accept {
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
  throw new TypeError(
    'serveAuth: this code runs outside of a SharedWorker or dedicated worker. Set the option port.',
  )
}
