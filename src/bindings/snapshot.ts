/** What every binding reads of an auth, and how it hears of changes. Knows no framework. */
import type { Reason } from '../../machines/index.ts'
import type { Auth, AuthState } from '../core/auth.ts'

/** Any auth, whatever its credentials and claims. */
export type AnyAuth = Auth<never, unknown>

/** The session of an auth, with its claims. */
export type SessionOf<A extends AnyAuth> = NonNullable<A['session']>

/**
 * Which view belongs on the screen. It does not flicker: a refresh, and a sign-in that is under way, leave it as it is.
 * `expired` stays until the user signed in again or left, also while a sign-in is tried.
 */
export type AuthView = 'restoring' | 'signedIn' | 'expired' | 'signedOut'

/** What a view can show of a session at one moment. The same object as long as nothing of it changes. */
export interface AuthSnapshot<S = NonNullable<Auth['session']>> {
  readonly state: AuthState
  readonly view: AuthView
  /** Facts of the session, while there is one: also during a refresh. */
  readonly session: S | undefined
  /** Why the session ended; `undefined` while there is one. */
  readonly reason: Reason | undefined
  /** How many requests wait. */
  readonly held: number
}

/** What is shown where nothing is known yet: on servers, and when their page is taken over. */
export const RESTORING: AuthSnapshot<never> = Object.freeze({
  state: 'restoring',
  view: 'restoring',
  session: undefined,
  reason: undefined,
  held: 0,
})

/** What a binding needs of an auth, and no more. */
export interface AuthStore<S> {
  read(): AuthSnapshot<S>
  /** Calls back when something may have changed; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

const stores = new WeakMap<AnyAuth, AuthStore<unknown>>()

/** The store of an auth: always the same one, for frameworks that compare functions. */
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
      const { standing, reason, held } = auth.actor.getSnapshot().context
      // Tokens are there, or gone, a moment before the chart has heard of them.
      const view = session
        ? 'signedIn'
        : standing === 'expired'
          ? 'expired'
          : state === 'restoring'
            ? 'restoring'
            : 'signedOut'
      const same =
        last.state === state &&
        last.view === view &&
        last.session === session &&
        last.reason === reason &&
        last.held === held
      if (!same) last = Object.freeze({ state, view, session, reason, held })
      return last
    },
    subscribe(listener) {
      const subscription = auth.actor.subscribe(listener)
      return () => subscription.unsubscribe()
    },
  }
}
