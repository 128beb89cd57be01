/**
 * A session for pages without a framework: its events as DOM events, and what it is as a store.
 *
 * @module
 */
import type { AuthEventMap } from '../core/auth.ts'
import { type AnyAuth, type AuthStore, type SessionOf, storeOf } from './snapshot.ts'

export type { AnyAuth, AuthSnapshot, AuthStore, AuthView, SessionOf } from './snapshot.ts'

/** What a session tells, by name. */
export type AuthEventType = Exclude<keyof AuthEventMap, '*'>

/** A DOM event of a session: what it tells is its `detail`. */
export type AuthDOMEvent<T extends AuthEventType> = CustomEvent<AuthEventMap[T]>

/** A listener, as `addEventListener` takes it. */
export type AuthEventListener<T extends AuthEventType> =
  | ((event: AuthDOMEvent<T>) => void)
  | { handleEvent(event: AuthDOMEvent<T>): void }

/** An `EventTarget` that knows the events of a session. */
export interface AuthEventTarget extends EventTarget {
  addEventListener<T extends AuthEventType>(
    type: T,
    listener: AuthEventListener<T> | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  removeEventListener<T extends AuthEventType>(
    type: T,
    listener: AuthEventListener<T> | null,
    options?: EventListenerOptions | boolean,
  ): void
}

const targets = new WeakMap<AnyAuth, EventTarget>()

/**
 * The events of a session as DOM events, with all that `addEventListener` can do: `once`, `signal`, `handleEvent`. There is
 * one target for each auth. It tells nothing any more once the auth is disposed of.
 *
 * @param auth the session
 * @returns a target that dispatches a `CustomEvent` for each event of the session, under its name. Its `detail` is what
 * `auth.on` gives: frozen, and without any token
 *
 * @example
 * ```ts
 * authEvents(auth).addEventListener('expired', ({ detail }) => showDialog(detail.reason), { signal })
 * ```
 */
export function authEvents(auth: AnyAuth): AuthEventTarget {
  const target = targets.get(auth) ?? createTarget(auth)
  targets.set(auth, target)
  return target as AuthEventTarget
}

function createTarget(auth: AnyAuth): EventTarget {
  const target = new EventTarget()
  auth.on('*', (event) => {
    target.dispatchEvent(new CustomEvent(event.type, { detail: Object.freeze(event) }))
  })
  return target
}

/**
 * What a page can show of a session, and how it hears of changes. There is one store for each auth.
 *
 * @param auth the session
 * @returns `read()` gives the snapshot, the same object as long as nothing of it changes; `subscribe(listener)` calls back
 * when something may have changed, and returns the way to stop
 *
 * @example
 * ```ts
 * const { read, subscribe } = authStore(auth)
 * subscribe(() => render(read().view))
 * ```
 */
export function authStore<A extends AnyAuth>(auth: A): AuthStore<SessionOf<A>> {
  return storeOf(auth)
}
