/**
 * The session for pages without a framework: its events as DOM events, and its state as a store.
 *
 * @module
 */
import type { AuthEventMap } from '../core/auth.ts'
import { type AnyAuth, type AuthStore, type SessionOf, storeOf } from './snapshot.ts'

export type { AnyAuth, AuthSnapshot, AuthStore, AuthView, SessionOf } from './snapshot.ts'

/** The names of the events of a session. */
export type AuthEventType = Exclude<keyof AuthEventMap, '*'>

/** A DOM event of a session, with the event of `auth.on` as its `detail`. */
export type AuthDOMEvent<T extends AuthEventType> = CustomEvent<AuthEventMap[T]>

/** A listener for `addEventListener`. */
export type AuthEventListener<T extends AuthEventType> =
  | ((event: AuthDOMEvent<T>) => void)
  | {
      /** Called for each event, with the object as `this`. */
      handleEvent(event: AuthDOMEvent<T>): void
    }

/** An `EventTarget` that is typed for the events of a session. */
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
 * Dispatches the events of a session as DOM events, with all features of `addEventListener`: `once`, `signal`, `handleEvent`.
 * Each auth has one target. It dispatches no event after the auth is disposed of.
 *
 * @param auth the session
 * @returns a target that dispatches a `CustomEvent` for each event of the session, with the same name. Its `detail` is the
 * event that `auth.on` emits: frozen, and without any token
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
 * Returns a store of what a page can show of a session. Each auth has one store.
 *
 * @param auth the session
 * @returns `read()` returns the snapshot: the same object until one of its fields changes. `subscribe(listener)` calls back
 * when something may have changed, and returns a function that unsubscribes
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
