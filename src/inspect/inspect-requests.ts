import { type AnyAuth, FETCH, GATE } from '../core/auth.ts'
import { AuthError } from '../core/errors.ts'
import type { Gate } from '../core/gate.ts'
import { isPromiseLike } from '../core/promise-like.ts'
import type { BearerRequest, RequestWatch } from '../core/request.ts'
import { report } from '../environment/report.ts'
import type { RequestFrame, RequestObserver } from './request-frames.ts'

/** Options of `inspectRequests`. */
export interface InspectRequestsOptions {
  /** Tells the time, in milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

type Undated<T> = T extends unknown ? Omit<T, 'at'> : never
type Unnamed<T> = T extends unknown ? Omit<T, 'id' | 'at'> : never
type Tell = (what: Undated<RequestFrame>) => void
type Told = Unnamed<RequestFrame>

/** Those who look at one session's requests. */
const observers = new WeakMap<Gate, Set<Tell>>()
let lastId = 0

/**
 * Shows each request that a transport sends for a session, from its arrival to its end: sent, held, replayed, done or rejected.
 * Where nobody looks it costs nothing. Requests that were under way before are not shown, nor those that carry an
 * `Authorization` header of their own or go to an origin that gets no token: they are none of the session's business.
 *
 * @param auth the session; one that lives in a worker sends its requests there, where nothing is seen of them from here
 * @param observer who looks
 * @returns the way to stop; it may be called again
 *
 * @example
 * ```ts
 * import { inspectRequests } from 'authchart/inspect'
 *
 * const stop = inspectRequests(auth, ({ type, id, at }) => console.log(at, id, type))
 * ```
 */
export function inspectRequests(
  auth: AnyAuth,
  observer: RequestObserver,
  { now = Date.now }: InspectRequestsOptions = {},
): () => void {
  const gate = auth[FETCH] ? undefined : auth[GATE]
  if (!gate) return () => {}
  const watching = observers.get(gate) ?? new Set<Tell>()
  observers.set(gate, watching)
  const tell = inOrder(observer, now, () => watching.has(tell))
  watching.add(tell)
  gate.watch = watchFor(watching)
  return () => {
    watching.delete(tell)
    if (watching.size === 0) gate.watch = undefined
  }
}

/**
 * Tells an observer what happened, a moment later: it may call the session, which must not happen in the middle of a step of the
 * gate's.
 */
function inOrder(observer: RequestObserver, now: () => number, isWatching: () => boolean): Tell {
  let waiting: RequestFrame[] = []
  function flush() {
    const frames = waiting
    waiting = []
    for (const frame of frames) {
      if (!isWatching()) return
      try {
        const answer = observer(frame)
        if (isPromiseLike(answer)) answer.then(undefined, report)
      } catch (error) {
        report(error)
      }
    }
  }
  return (what) => {
    try {
      waiting.push({ ...what, at: now() })
    } catch (error) {
      report(error)
    }
    if (waiting.length === 1) void Promise.resolve().then(flush)
  }
}

function watchFor(watching: ReadonlySet<Tell>): RequestWatch {
  return async (request, go) => {
    const id = ++lastId
    // Who comes later has not seen it arrive.
    const present = [...watching]
    const tell = (what: Told) => {
      for (const one of present) one({ ...what, id })
    }
    tell({ type: 'arrived', ...placeOf(request) })
    try {
      const answer = await go(watched(request, tell))
      tell({ type: 'done' })
      return answer
    } catch (error) {
      tell({ type: 'rejected', reason: request.signal?.aborted ? 'aborted' : reasonOf(error) })
      throw error
    }
  }
}

/** The same request to whoever sends it, and it tells what is done with it. */
function watched<Answer>(request: BearerRequest<Answer>, tell: (what: Told) => void): BearerRequest<Answer> {
  let sent = false
  return {
    send(authorization, abort) {
      tell({ type: sent ? 'replayed' : 'sent' })
      sent = true
      return request.send(authorization, abort)
    },
    challenge(answer) {
      const status = statusOf(answer)
      if (status !== undefined) tell({ type: 'answered', status })
      return request.challenge(answer)
    },
    get replayable() {
      return request.replayable
    },
    get abortable() {
      return request.abortable ?? false
    },
    key: () => request.key(),
    discard: (answer) => request.discard?.(answer),
    get signal() {
      return request.signal
    },
    /** Asked by nobody but the queue, when the request enters it. */
    get timeout() {
      tell({ type: 'held' })
      return request.timeout
    },
  }
}

/** A transport of an app's own may name its endpoints as it likes, and fail at it: that must not fail the request. */
function placeOf(request: BearerRequest<unknown>): { readonly name: string; readonly origin: string } {
  let key = ''
  try {
    key = request.key()
    const [, method = '', address = ''] = /^(?:([\w-]+) )?(.*)$/s.exec(key) ?? []
    const { origin, pathname } = new URL(address, globalThis.location?.href)
    return { name: `${method} ${pathname}`.trim(), origin }
  } catch {
    return { name: key.replace(/[?#].*/s, '').replace(/\/\/[^/]*@/, '//'), origin: '' }
  }
}

/** An answer is what its transport takes for one: a response, something with a response in it, or an event that ends it. */
function statusOf(answer: unknown): number | undefined {
  const { status, response, end } = (answer ?? {}) as Readonly<Record<string, unknown>>
  if (typeof status === 'number') return status
  return response || end ? statusOf(response ?? end) : undefined
}

function reasonOf(error: unknown): string {
  if (error instanceof AuthError) return error.code
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown }
  return name === 'AbortError' || name === 'CanceledError' || code === 'ERR_CANCELED' ? 'aborted' : 'failed'
}
