import { type AuthEmitted, topState } from '../../machines/index.ts'
import { type Auth, type AuthEventMap, type AuthState, REQUEST_GATE, WORKER_FETCH } from '../core/auth.ts'
import { type AuthError, DisposedError, TokenConfinedError, WorkerError } from '../core/errors.ts'
import { History } from '../core/features/history.ts'
import { disposeKey } from '../core/platform/disposal.ts'
import type { Session, TokenResponse, UserFacts } from '../core/ports.ts'
import { report } from '../environment/report.ts'
import type { AuthWorker } from './connection.ts'
import { keepConnection } from './kept-connection.ts'
import { MirrorActor } from './mirror-actor.ts'
import { createPageRequests } from './page-requests.ts'
import { createPendingCalls } from './pending-calls.ts'
import type { Method, MirrorStep, ToPage } from './protocol.ts'
import { signOutOf } from './sign-out.ts'
import { unpackError } from './unpack-error.ts'

/** Minimum interval between two pings that update `endsAt`, in milliseconds. */
const PING_INTERVAL = 1_000

/** Options of `connectAuth`. */
export interface ConnectAuthOptions {
  /**
   * How long the worker may take for its first response, in milliseconds, including the time to load its script. After that,
   * everything that waits for it rejects with a `WorkerError`. Default: 10,000.
   */
  readonly timeout?: number
  /** How many events `auth.history` contains at most. Default: 100. */
  readonly historyLimit?: number
}

/**
 * Connects the page to the session that a worker serves. The returned `Auth` works with transports, bindings and apps like
 * any other. The tokens stay in the worker, which also sends the requests.
 *
 * Its state is `restoring` until the worker responds. `dispose()` closes the connection, but keeps the session in the worker.
 *
 * @param worker a `SharedWorker`, a `Worker`, or a port that is connected to either, in which `serveAuth` runs. Or a function
 * that creates one: it is called again if the worker ends, as browsers on phones may end it. The new worker then restores
 * the session from its store
 * @param options `timeout` in milliseconds, and `historyLimit`
 * @returns the session. Its methods reject with a `WorkerError` if the worker cannot be loaded, does not respond within
 * `timeout`, or ends. `getAccessToken()` always rejects with a `TokenConfinedError`
 * @throws TypeError if an option is invalid
 *
 * @example
 * ```ts
 * import { createAuthFetch } from 'authchart/fetch'
 * import { connectAuth } from 'authchart/worker'
 *
 * const auth = connectAuth<{ username: string; password: string }>(
 *   () => new SharedWorker(new URL('./auth.worker.ts', import.meta.url), { type: 'module' }),
 * )
 * const api = createAuthFetch(auth, { origins: ['https://api.example.com'] })
 * await auth.signIn({ username: 'ada', password: 'correct' })
 * const response = await api('https://api.example.com/me')
 * ```
 */
export function connectAuth<
  Credentials = unknown,
  Claims = Readonly<Record<string, unknown>>,
  User = UserFacts,
>(
  worker: AuthWorker | (() => AuthWorker),
  options: ConnectAuthOptions = {},
): Auth<Credentials, Claims, User> {
  const { timeout = 10_000, historyLimit = 100 } = options
  checkArguments(worker, timeout, historyLimit)

  let session: Session | undefined
  const limit = createLimit(() => kept.current.post({ type: 'ping' }))
  /** How many events of the worker's chart this page has received. */
  let seen: number | undefined
  /** The events before this page connected. */
  let earlierEvents: readonly AuthEmitted[] | undefined
  let disposed = false
  /** The last id of calls and requests, which share one sequence. */
  let lastId = 0
  let lastBeforeGreeting = 0
  const nextId = () => ++lastId

  const actor = new MirrorActor({
    forward: ({ type }) => kept.current.post({ type: 'event', event: type }),
    report,
  })
  const history = new History(historyLimit)
  actor.on('*', (event) => history.add(event))
  actor.start()

  const calls = createPendingCalls((message) => kept.current.post(message), nextId)
  const requests = createPageRequests((message, transfer) => kept.current.post(message, transfer), nextId)

  function applyStep(step: MirrorStep) {
    session = nextSession(session, step)
    seen = step.seen
    limit.set(step.endsAt)
    try {
      actor.apply(step)
    } catch (error) {
      kept.current.lose('version', error)
    }
  }

  /** Rejects all calls and requests with an id up to `last`. */
  function rejectPending(error: AuthError, last = lastId) {
    calls.rejectAll(error, last)
    requests.failAll(error, last)
  }

  function receive(message: ToPage) {
    switch (message.type) {
      case 'welcome':
        // Another worker counts its sessions anew: equal numbers would make two sessions look like one.
        if (seen === undefined && earlierEvents) {
          session = undefined
          actor.forget()
        }
        earlierEvents ??= message.history
        // The worker has dropped this page in the meantime, and with it all earlier calls and requests.
        if (seen !== undefined && !message.known)
          rejectPending(new WorkerError({ reason: 'gone' }), lastBeforeGreeting)
        return applyStep(message.step)
      case 'step':
        return applyStep(message.step)
      case 'reply': {
        const { id, session: given, error } = message
        if (error) calls.reject(id, unpackError(error))
        else calls.resolve(id, given?.generation === session?.generation ? session : given)
        return
      }
      case 'pong':
        return limit.set(message.endsAt)
      default:
        return requests.receive(message)
    }
  }

  const kept = keepConnection(worker, {
    timeout,
    onMessage: receive,
    onUnreadable({ of, id }) {
      const error = new WorkerError({ reason: 'garbled' })
      if (of === 'reply') calls.reject(id, error)
      else requests.fail(id, error)
    },
    onFailed: rejectPending,
    onReplaced() {
      seen = undefined
    },
    onGreeting() {
      lastBeforeGreeting = lastId
      return seen
    },
    isWaiting: () => calls.pending || requests.pending,
  })

  const connectionError = () => (disposed ? new DisposedError() : kept.current.failure)

  async function call(method: Method, argument?: unknown): Promise<Session<Claims>> {
    const error = connectionError()
    if (error) throw error
    return (await calls.call(method, argument)) as Session<Claims>
  }

  function dispose() {
    if (disposed) return
    disposed = true
    actor.stop()
    rejectPending(new DisposedError())
    kept.close()
  }

  const auth = {
    actor,
    get state() {
      return topState(actor.getSnapshot().value) as AuthState
    },
    get session() {
      return session
    },
    get endsAt() {
      return limit.read()
    },
    get history() {
      return [...(earlierEvents ?? []), ...history.events].slice(-historyLimit)
    },
    ready: async () => void (await call('ready')),
    signIn: (credentials: Credentials) => call('signIn', credentials),
    signOut: () => signOutOf({ kept, calls, nextId, isDisposed: () => disposed }),
    setTokens: (response: TokenResponse) => call('setTokens', response),
    refresh: () => call('refresh'),
    async getAccessToken() {
      throw connectionError() ?? new TokenConfinedError()
    },
    on<T extends keyof AuthEventMap>(type: T, listener: (event: AuthEventMap[T]) => void) {
      const subscription = actor.on(type as never, listener as never)
      return () => subscription.unsubscribe()
    },
    dispose,
    [disposeKey()]: dispose,
  }
  const send: typeof fetch = async (input, init) => {
    const error = connectionError()
    if (error) throw error
    return requests.send(input, init)
  }
  return forTransports(auth, send) as unknown as Auth<Credentials, Claims, User>
}

/** Adds what transports look for. Not enumerable, so that a printed or compared session does not include it. */
const forTransports = (auth: object, send: typeof fetch) =>
  Object.defineProperties(auth, {
    [WORKER_FETCH]: { value: send, enumerable: false },
    [REQUEST_GATE]: { get: throwNoGate },
  })

/** Stores when the session reaches its next limit. Reading the value requests an update, for the next read. */
function createLimit(ping: () => void) {
  let endsAt: number | undefined
  let lastPingAt = Number.NEGATIVE_INFINITY
  return {
    set(value: number | undefined) {
      endsAt = value
    },
    read() {
      const now = performance.now()
      // Each request of any page changes the idle limit without a chart event, so the page has to ask for it.
      if (endsAt !== undefined && now - lastPingAt >= PING_INTERVAL) {
        lastPingAt = now
        ping()
      }
      return endsAt
    },
  }
}

/** The session after a step. It stays the same object for the same token set, because bindings compare references. */
function nextSession(current: Session | undefined, { session: next }: MirrorStep): Session | undefined {
  if (next === null) return undefined
  const isNew = next && (next.generation !== current?.generation || next.epoch !== current.epoch)
  return isNew ? Object.freeze(next) : current
}

function checkArguments(worker: unknown, timeout: number, historyLimit: number) {
  if ((typeof worker !== 'object' || worker === null) && typeof worker !== 'function')
    throw new TypeError('connectAuth: the worker is missing. Pass a SharedWorker, a Worker or a MessagePort.')
  checkPositive('timeout', timeout)
  checkPositive('historyLimit', historyLimit)
}

function throwNoGate(): never {
  throw new TypeError(
    'bearerRequest cannot be used with a session in a worker. Send the request through a transport.',
  )
}

function checkPositive(name: string, value: number) {
  if (typeof value !== 'number' || !(value > 0))
    throw new TypeError(`connectAuth: ${name} must be a number greater than 0.`)
}
