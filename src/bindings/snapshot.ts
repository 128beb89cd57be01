/** The snapshot that every binding reads from an auth, and the subscription to its changes, for any framework. */
import type { Reason } from '../../machines/index.ts'
import type { Auth, AuthState } from '../core/auth.ts'

/** Any auth, whatever its credentials and claims. */
export type AnyAuth = Auth<never, unknown>

/** The session of an auth, with its claims. */
export type SessionOf<A extends AnyAuth> = NonNullable<A['session']>

/**
 * Which view belongs on the screen. A refresh or a pending sign-in does not change it. `expired` lasts until the user signs
 * in again or signs out.
 */
export type AuthView = 'restoring' | 'signedIn' | 'expired' | 'signedOut'

/** What a view can show of a session at one moment. It is the same object until one of its fields changes. */
export interface AuthSnapshot<S = NonNullable<Auth['session']>> {
  readonly state: AuthState
  readonly view: AuthView
  /** The public session, while there is one, including during a refresh. */
  readonly session: S | undefined
  /** Why the session ended; `undefined` while there is a session. */
  readonly reason: Reason | undefined
  /** How many requests are held. */
  readonly held: number
}

/** The snapshot while nothing is known yet: on a server, and during hydration. */
export const RESTORING: AuthSnapshot<never> = Object.freeze({
  state: 'restoring',
  view: 'restoring',
  session: undefined,
  reason: undefined,
  held: 0,
})

/** The part of an auth that a binding needs. */
export interface AuthStore<S> {
  read(): AuthSnapshot<S>
  /** Calls back when something may have changed. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

const stores = new WeakMap<AnyAuth, AuthStore<unknown>>()

/** Returns the store of an auth. It is always the same object, because frameworks compare its functions. */
export function storeOf<A extends AnyAuth>(auth: A): AuthStore<SessionOf<A>> {
  const store = stores.get(auth) ?? createStore(auth)
  stores.set(auth, store)
  return store as AuthStore<SessionOf<A>>
}

function createStore(auth: AnyAuth): AuthStore<unknown> {
  let last: AuthSnapshot<unknown> = RESTORING
  return {
    read() {
      const { state, session } = auth
      const { status, reason, held } = auth.actor.getSnapshot().context
      // The session object changes slightly before the chart does, so it takes precedence.
      const view = session
        ? 'signedIn'
        : status === 'expired'
          ? 'expired'
          : state === 'restoring'
            ? 'restoring'
            : 'signedOut'
      const isUnchanged =
        last.state === state &&
        last.view === view &&
        last.session === session &&
        last.reason === reason &&
        last.held === held
      if (!isUnchanged) last = Object.freeze({ state, view, session, reason, held })
      return last
    },
    subscribe(listener) {
      const subscription = auth.actor.subscribe(listener)
      return () => subscription.unsubscribe()
    },
  }
}
