import { type AuthHandle, REQUEST_GATE, WORKER_FETCH } from '../core/auth.ts'
import { AuthError } from '../core/errors.ts'
import { isPromiseLike } from '../core/platform/promise-like.ts'
import type { Gate } from '../core/requests/gate.ts'
import type { BearerRequest, RequestWatch } from '../core/requests/transport-request.ts'
import { report } from '../environment/report.ts'
import type { RequestFrame, RequestObserver } from './request-frames.ts'

/** Options of `inspectRequests`. */
export interface InspectRequestsOptions {
  /** Returns the time, in milliseconds since the Unix epoch. Default: `Date.now`. */
  readonly now?: () => number
}

/** A frame without the fields that are added later. Distributes over the union. */
type Undated<T> = T extends unknown ? Omit<T, 'at'> : never
type Unnamed<T> = T extends unknown ? Omit<T, 'id' | 'at'> : never
type Notify = (frame: Undated<RequestFrame>) => void

/** The observers of each session, by its gate. */
const observers = new WeakMap<Gate, Set<Notify>>()
let lastId = 0

/**
 * Notifies an observer of each request that a transport sends for a session, from its arrival to its end: sent, held, replayed,
 * done or rejected. Without an observer it costs nothing. Some requests are not reported: those that were in flight before, those
 * with an `Authorization` header of their own, and those to an origin that gets no token.
 *
 * @param auth the session. If it lives in a worker, its requests are sent there, and none is reported here
 * @param observer receives the frames
 * @returns a function that stops the inspection; it may be called again
 *
 * @example
 * ```ts
 * import { inspectRequests } from 'authchart/inspect'
 *
 * const stop = inspectRequests(auth, ({ type, id, at }) => console.log(at, id, type))
 * ```
 */
export function inspectRequests(
  auth: AuthHandle,
  observer: RequestObserver,
  { now = Date.now }: InspectRequestsOptions = {},
): () => void {
  const gate = auth[WORKER_FETCH] ? undefined : auth[REQUEST_GATE]
  if (!gate) return () => {}
  const watching = observers.get(gate) ?? new Set<Notify>()
  observers.set(gate, watching)
  const notify = createNotify(observer, now, () => watching.has(notify))
  watching.add(notify)
  gate.watch = watchFor(watching)
  return () => {
    watching.delete(notify)
    if (watching.size === 0) gate.watch = undefined
  }
}

/**
 * Notifies an observer in a microtask. The observer may call the session, which must not happen in the middle of a step of the
 * gate.
 */
function createNotify(observer: RequestObserver, now: () => number, isWatching: () => boolean): Notify {
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
  return (frame) => {
    try {
      waiting.push({ ...frame, at: now() })
    } catch (error) {
      report(error)
    }
    if (waiting.length === 1) void Promise.resolve().then(flush)
  }
}

function watchFor(watching: ReadonlySet<Notify>): RequestWatch {
  return async (request, go) => {
    const id = ++lastId
    // An observer that starts later has not seen the request arrive, so it gets no frame of it.
    const present = [...watching]
    const notify = (frame: Unnamed<RequestFrame>) => {
      for (const one of present) one({ ...frame, id })
    }
    notify({ type: 'arrived', ...describe(request) })
    try {
      const answer = await go(watched(request, notify))
      notify({ type: 'done' })
      return answer
    } catch (error) {
      notify({ type: 'rejected', reason: request.signal?.aborted ? 'aborted' : reasonOf(error) })
      throw error
    }
  }
}

/** Wraps a request: it behaves the same, and reports each step. */
function watched<Answer>(
  request: BearerRequest<Answer>,
  notify: (frame: Unnamed<RequestFrame>) => void,
): BearerRequest<Answer> {
  let sent = false
  return {
    send(authorization, abort, proof) {
      notify({ type: sent ? 'replayed' : 'sent' })
      sent = true
      return request.send(authorization, abort, proof)
    },
    challenge(answer) {
      const status = statusOf(answer) ?? request.reply?.(answer)?.status
      if (status !== undefined) notify({ type: 'answered', status })
      return request.challenge(answer)
    },
    get replayable() {
      return request.replayable
    },
    get abortable() {
      return request.abortable ?? false
    },
    key: () => request.key(),
    hasActed: (answer) => request.hasActed?.(answer) ?? false,
    discard: (answer) => request.discard?.(answer),
    ...(request.method !== undefined && { method: request.method }),
    ...(request.url !== undefined && { url: request.url }),
    ...(request.reply && { reply: (answer: Answer) => request.reply?.(answer) }),
    get signal() {
      return request.signal
    },
    get timeout() {
      return request.timeout
    },
    onHeld() {
      notify({ type: 'held' })
      request.onHeld?.()
    },
    onReleased: (place) => request.onReleased?.(place),
  }
}

/** Names a request by its key. The key of a custom transport may have any form, or throw: that must not fail the request. */
function describe(request: BearerRequest<unknown>): { readonly name: string; readonly origin: string } {
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

/** Finds the status in the answer of a transport: a response, an object with a response, or an event that ends the request. */
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
