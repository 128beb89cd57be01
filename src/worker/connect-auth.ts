import type { AuthEmitted } from '../../machines/index.ts'
import { type Auth, type AuthState, FETCH, GATE } from '../core/auth.ts'
import { type AuthError, DisposedError, TokenConfinedError, WorkerError } from '../core/errors.ts'
import { createListeners } from '../core/listeners.ts'
import type { TokenResponse } from '../core/ports.ts'
import type { Session } from '../core/vault.ts'
import { report } from '../environment/report.ts'
import { createCalls } from './calls.ts'
import { type AuthWorker, openConnection } from './connection.ts'
import { createMirror } from './mirror-actor.ts'
import { createPageRequests } from './page-requests.ts'
import type { Method, Step, ToPage } from './protocol.ts'
import { unpackError } from './unpack-error.ts'

/** How often the worker is asked for a page that shows how long the session lasts, in milliseconds. */
const ASK_EVERY = 1_000

/** Options of `connectAuth`. */
export interface ConnectAuthOptions {
  /**
   * Milliseconds the worker may take to answer at first, its script to be loaded included. What waits for it then rejects
   * with a `WorkerError`. Default: 10,000.
   */
  readonly timeout?: number
  /** How many events `auth.history` keeps. Default: 100. */
  readonly historyLimit?: number
}

/**
 * The session that a worker serves, as an `Auth` of this page: for transports, bindings and apps it is one like any other.
 * The tokens stay in the worker, which also sends the requests.
 *
 * Its state is `restoring` until the worker answers. `dispose()` ends the connection; the session in the worker lives on.
 *
 * @param worker a `SharedWorker`, a `Worker`, or a port that leads to either; `serveAuth` runs there. A function that makes
 * one is called again where the worker dies, as browsers on phones let it; the session is then what the new one restores
 * @param options `timeout` in milliseconds
 * @returns the session; its methods reject with a `WorkerError` where the worker cannot be loaded, does not answer within
 * `timeout`, or dies, and `getAccessToken()` always rejects with a `TokenConfinedError`
 * @throws TypeError where an option is wrong
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
export function connectAuth<Credentials = unknown, Claims = Readonly<Record<string, unknown>>>(
  worker: AuthWorker | (() => AuthWorker),
  options: ConnectAuthOptions = {},
): Auth<Credentials, Claims> {
  const { timeout = 10_000, historyLimit = 100 } = options
  if ((typeof worker !== 'object' || worker === null) && typeof worker !== 'function')
    throw new TypeError('connectAuth: there is no worker. Give it a SharedWorker, a Worker or a MessagePort.')
  checkPositive('timeout', timeout)
  checkPositive('historyLimit', historyLimit)

  let session: Session | undefined
  let endsAt: number | undefined
  let endAskedAt = Number.NEGATIVE_INFINITY
  let seen: number | undefined
  /** What happened before this page was there. */
  let past: readonly AuthEmitted[] | undefined
  let disposed = false
  /** Numbers calls and requests alike. */
  let lastId = 0
  let lastBeforeGreeting = 0
  const nextId = () => ++lastId

  const mirror = createMirror({
    forward: ({ type }) => connection.post({ type: 'event', event: type }),
    report,
  })
  const { actor } = mirror
  const listeners = createListeners(historyLimit, report)
  actor.on('*', listeners.hear)
  actor.start()

  const calls = createCalls((message) => connection.post(message), nextId)
  const requests = createPageRequests((message, transfer) => connection.post(message, transfer), nextId)

  function take(step: Step) {
    // The same object as long as it is the same token set: who compares must not see a change where there is none.
    const { session: next } = step
    if (next === null) session = undefined
    else if (next && (next.generation !== session?.generation || next.epoch !== session.epoch))
      session = Object.freeze(next)
    seen = step.seen
    endsAt = step.endsAt
    try {
      mirror.apply(step)
    } catch (error) {
      connection.lose('version', error)
    }
  }

  /** Whoever waits for the worker waits in vain. */
  function forsake(error: AuthError, last = lastId) {
    calls.rejectAll(error, last)
    requests.failAll(error, last)
  }

  function hear(message: ToPage) {
    switch (message.type) {
      case 'welcome':
        past ??= message.history
        // It has forgotten this page meanwhile, and with it what was asked before.
        if (seen !== undefined && !message.known)
          forsake(new WorkerError({ reason: 'gone' }), lastBeforeGreeting)
        return take(message.step)
      case 'step':
        return take(message.step)
      case 'reply': {
        const { id, session: given, error } = message
        if (error) calls.reject(id, unpackError(error))
        else calls.resolve(id, given?.generation === session?.generation ? session : given)
        return
      }
      case 'failed':
        return requests.fail(message.id, unpackError(message.error))
      case 'pong':
        endsAt = message.endsAt
        return
      case 'answer':
        return requests.answer(message)
      case 'chunk':
      case 'end':
      case 'broken':
      case 'pull':
      case 'cancel':
        return requests.body(message)
    }
  }

  const connect = () =>
    openConnection(typeof worker === 'function' ? worker() : worker, {
      timeout,
      hear,
      failed: forsake,
      died() {
        if (typeof worker !== 'function' || disposed) return
        seen = undefined
        try {
          connection = connect()
        } catch (error) {
          report(error)
        }
      },
      greeting() {
        lastBeforeGreeting = lastId
        return seen
      },
      isWaiting: () => calls.pending || requests.pending,
    })
  let connection = connect()

  const refusal = () => (disposed ? new DisposedError() : connection.failure)

  async function call(method: Method, argument?: unknown): Promise<Session<Claims>> {
    const error = refusal()
    if (error) throw error
    return (await calls.call(method, argument)) as Session<Claims>
  }

  function dispose() {
    if (disposed) return
    disposed = true
    actor.stop()
    forsake(new DisposedError())
    connection.close()
    listeners.dispose()
  }

  const auth = {
    actor,
    get state() {
      const { value } = actor.getSnapshot()
      return (typeof value === 'string' ? value : Object.keys(value)[0]) as AuthState
    },
    get session() {
      return session
    },
    get endsAt() {
      const now = Date.now()
      // Each request of any page moves it, of which the chart says nothing: what the worker says is there the next time.
      if (endsAt !== undefined && now - endAskedAt >= ASK_EVERY) {
        endAskedAt = now
        connection.post({ type: 'ping' })
      }
      return endsAt
    },
    get history() {
      return [...(past ?? []), ...listeners.history()].slice(-historyLimit)
    },
    ready: async () => void (await call('ready')),
    signIn: (credentials: Credentials) => call('signIn', credentials),
    signOut: async () => void (await call('signOut').catch(() => {})),
    setTokens: (response: TokenResponse) => call('setTokens', response),
    refresh: () => call('refresh'),
    async getAccessToken() {
      throw refusal() ?? new TokenConfinedError()
    },
    on: listeners.on,
    dispose,
    [Symbol.dispose ?? FETCH]: dispose,
  }
  // Not among what shows when the session is printed or compared.
  return Object.defineProperties(auth, {
    [FETCH]: {
      value: async (input: RequestInfo | URL, init?: RequestInit) => {
        const error = refusal()
        if (error) throw error
        return requests.send(input, init)
      },
      enumerable: false,
    },
    [GATE]: { get: nowhere },
  }) as unknown as Auth<Credentials, Claims>
}

function nowhere(): never {
  throw new TypeError(
    'This session lives in a worker, where bearerRequest cannot be used. Send by a transport.',
  )
}

function checkPositive(name: string, value: number) {
  if (typeof value !== 'number' || !(value > 0))
    throw new TypeError(`connectAuth: ${name} must be a number above 0.`)
}
